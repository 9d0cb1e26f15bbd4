//! Words that values are made of. Names of people and places are common ones; addresses are of domains that belong to
//! nobody.

pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada", "Ben", "Carla", "Deniz", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kiran", "Lucia",
    "Mateo", "Nadia", "Omar", "Paula", "Quentin", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wei", "Yara",
    "Zoe",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Alvarez", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kaya",
    "Lopez", "Meyer", "Novak", "Okafor", "Patel", "Rossi", "Santos", "Tanaka", "Weber",
];

pub(super) const COUNTRIES: &[(&str, &str)] = &[
    ("US", "United States"),
    ("DE", "Germany"),
    ("ES", "Spain"),
    ("GB", "United Kingdom"),
    ("FR", "France"),
    ("IN", "India"),
    ("BR", "Brazil"),
    ("JP", "Japan"),
    ("NL", "Netherlands"),
    ("CA", "Canada"),
    ("IT", "Italy"),
    ("SE", "Sweden"),
];

pub(super) const CITIES: &[&str] = &[
    "Berlin",
    "Madrid",
    "London",
    "Paris",
    "New York",
    "Mumbai",
    "Tokyo",
    "Amsterdam",
    "Toronto",
    "Rome",
    "Stockholm",
    "Recife",
];

pub(super) const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "JPY", "BRL", "INR"];

pub(super) const LOCALES: &[&str] = &["en-US", "de-DE", "es-ES", "en-GB", "fr-FR", "pt-BR", "ja-JP", "it-IT"];

pub(super) const PATHS: &[&str] = &[
    "/",
    "/pricing",
    "/docs",
    "/blog",
    "/about",
    "/login",
    "/signup",
    "/products",
    "/products/42",
    "/cart",
    "/checkout",
    "/contact",
];

pub(super) const DOMAINS: &[&str] = &["example.com", "shop.example.com", "example.org", "app.example.net"];

pub(super) const BROWSERS: &[&str] = &["chrome", "safari", "firefox", "edge"];

pub(super) const SYSTEMS: &[&str] = &["windows", "macos", "android", "ios", "linux"];

pub(super) const DEVICES: &[&str] = &["desktop", "mobile-android", "mobile-ios", "tablet"];

pub(super) const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "curl/8.5.0",
];

pub(super) const METHODS: &[&str] = &["GET", "GET", "GET", "POST", "PUT", "DELETE"];

pub(super) const LEVELS: &[&str] = &["INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"];

pub(super) const SERVICES: &[&str] = &["api", "auth", "billing", "search", "worker"];

pub(super) const ENVIRONMENTS: &[&str] = &["production", "production", "staging", "development"];

pub(super) const STATUSES: &[&str] = &["active", "completed", "pending", "cancelled", "failed"];

pub(super) const ACTIONS: &[&str] = &["page_view", "click", "add_to_cart", "purchase", "signup", "search"];

pub(super) const CATEGORIES: &[&str] = &["books", "clothing", "electronics", "food", "garden", "toys"];

pub(super) const COLORS: &[&str] = &["black", "white", "red", "blue", "green"];

pub(super) const COMPANIES: &[&str] = &["Acme", "Globex", "Initech", "Umbra", "Vandelay", "Wonka"];

pub(super) const PLANS: &[&str] = &["free", "free", "pro", "team", "enterprise"];

pub(super) const STATUS_CODES: &[u32] = &[200, 200, 200, 200, 201, 204, 301, 400, 401, 404, 500, 503];

pub(super) const WORDS: &[&str] = &[
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "juniper", "kelp",
    "lagoon", "marsh", "north", "ocean", "pine", "quartz", "river", "spring", "tide", "upland", "valley",
    "water", "yarrow",
];
