//! Values of one column.

use fastrand::Rng;
use headwater_catalog::{Geo, Type};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::MockOptions;
use super::words;
use crate::json::quote;

/// What a column is to its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// 1 for a row, -1 for a row that cancels an equal one.
    Sign,
    /// Grows from row to row.
    Version,
    /// 1 for few.
    Deleted,
}

/// Makes the values of one column, row by row.
pub(super) struct Maker {
    name: String,
    /// The words of the name, in lower case.
    parts: Vec<String>,
    ty: Type,
    role: Role,
    rng: Rng,
    rows: u64,
    now: i64,
}

/// Rows lie in so many seconds before now.
const SPAN: i64 = 30 * 86_400;

/// A small shape somewhere on the map.
fn shape(geo: Geo, rng: &mut Rng) -> String {
    let (east, north) = (longitude(rng), latitude(rng));
    let point = |(x, y): (f64, f64)| format!("[{:.4},{:.4}]", east + x, north + y);
    let list = |corners: &[(f64, f64)]| {
        let points: Vec<String> = corners.iter().map(|corner| point(*corner)).collect();
        format!("[{}]", points.join(","))
    };
    let ring = || list(&[(0.0, 0.0), (0.01, 0.0), (0.01, 0.01), (0.0, 0.01), (0.0, 0.0)]);
    let line = || list(&[(0.0, 0.0), (0.01, 0.02), (0.03, 0.02)]);
    match geo {
        Geo::Point | Geo::Geometry => point((0.0, 0.0)),
        Geo::Ring => ring(),
        Geo::LineString => line(),
        Geo::MultiLineString => format!("[{}]", line()),
        Geo::Polygon => format!("[{}]", ring()),
        Geo::MultiPolygon => format!("[[{}]]", ring()),
    }
}

/// A number for a text, the same everywhere (FNV-1a).
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

impl Maker {
    pub(super) fn new(name: &str, ty: &Type, role: Role, options: MockOptions) -> Self {
        Self {
            name: name.to_owned(),
            parts: parts(name),
            ty: ty.clone(),
            role,
            rng: Rng::with_seed(options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash(name)),
            rows: options.rows.max(1),
            now: options.now.seconds(),
        }
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The value of a row, as JSON; `length` is that of lists.
    pub(super) fn make(&mut self, row: u64, length: usize) -> String {
        // Dice fall the same number of times whatever comes of them, so that rows stay equal when a type changes a little.
        let mut rng = self.rng.fork();
        let ty = self.ty.clone();
        match self.role {
            Role::Sign => "1".to_owned(),
            Role::Deleted => u8::from(rng.u8(0..20) == 0).to_string(),
            Role::Version if !is_time(&ty) => (row + 1).to_string(),
            _ => self.value(&ty, row, length, &mut rng),
        }
    }

    fn has(&self, words: &[&str]) -> bool {
        self.parts.iter().any(|p| words.contains(&p.as_str()))
    }

    fn is(&self, names: &[&str]) -> bool {
        let plain = self.parts.join("_");
        names.contains(&plain.as_str())
    }

    fn value(&self, ty: &Type, row: u64, length: usize, rng: &mut Rng) -> String {
        match ty {
            Type::Nullable(inner) => {
                if rng.u8(0..10) == 0 {
                    "null".to_owned()
                } else {
                    self.value(inner, row, length, rng)
                }
            }
            Type::LowCardinality(inner) => self.value(inner, row, length, rng),
            Type::SimpleAggregateFunction(aggregate) => match aggregate.arguments.first() {
                Some(inner) => self.value(inner, row, length, rng),
                None => "null".to_owned(),
            },
            Type::Array(element) => {
                let items: Vec<String> = (0..length).map(|_| self.value(element, row, 1, rng)).collect();
                format!("[{}]", items.join(","))
            }
            Type::Map(pair) => {
                let count = rng.usize(1..4);
                let start = rng.usize(0..words::WORDS.len());
                let fields: Vec<String> = (0..count)
                    .map(|n| {
                        let key = match &pair.0 {
                            Type::String | Type::LowCardinality(_) | Type::FixedString(_) => {
                                quote(words::WORDS[(start + n) % words::WORDS.len()])
                            }
                            other => quote(self.value(other, row, 1, rng).trim_matches('"')),
                        };
                        format!("{key}:{}", self.value(&pair.1, row, 1, rng))
                    })
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
            Type::Tuple(elements) | Type::Nested(elements) => {
                let named = elements.iter().all(|e| e.name.is_some());
                let values: Vec<String> = elements
                    .iter()
                    .map(|e| {
                        let value = self.value(&e.ty, row, 1, rng);
                        match &e.name {
                            Some(name) if named => format!("{}:{value}", quote(name)),
                            _ => value,
                        }
                    })
                    .collect();
                if named { format!("{{{}}}", values.join(",")) } else { format!("[{}]", values.join(",")) }
            }
            Type::Json(_) | Type::Dynamic(_) => object(rng),
            Type::Variant(types) => {
                let ty = types.first().cloned().unwrap_or(Type::String);
                self.value(&ty, row, length, rng)
            }
            Type::Geo(geo) => shape(*geo, rng),
            Type::Interval(_) => rng.u8(1..60).to_string(),
            Type::QBit(element, dimension, _) => {
                let items: Vec<String> = (0..*dimension).map(|_| self.value(element, row, 1, rng)).collect();
                format!("[{}]", items.join(","))
            }
            Type::Enum8(names) | Type::Enum16(names) => match names.is_empty() {
                true => "null".to_owned(),
                false => quote(&names[skewed(rng, names.len())].0),
            },
            Type::Bool => (rng.u8(0..10) < 3).to_string(),
            Type::Uuid => quote(&uuid(rng)),
            Type::Ipv4 => quote(&ipv4(rng)),
            Type::Ipv6 => {
                let groups: Vec<String> = (0..4).map(|_| format!("{:x}", rng.u16(1..))).collect();
                quote(&format!("2001:db8::{}", groups.join(":")))
            }
            Type::FixedString(length) => {
                let length = usize::try_from(*length).unwrap_or(0).min(256);
                let code = self.short_code(rng);
                let text = if length >= code.len() && length <= 3 { code } else { hex(rng, length) };
                quote(&text.chars().take(length).collect::<String>())
            }
            ty if is_time(ty) => self.time(ty, row, rng),
            Type::Float32 | Type::Float64 | Type::BFloat16 => self.float(rng),
            Type::Decimal(digits, scale) => {
                let most = 10f64.powi(i32::from(digits.saturating_sub(*scale)).min(6)) - 1.0;
                let value = self.amount(rng).min(most.max(0.0));
                format!("{value:.*}", usize::from((*scale).min(6)))
            }
            ty if ty.is_integer() => self.integer(ty, row, rng),
            _ => quote(&self.text(row, rng)),
        }
    }

    /// How many different values an identifier has: fewer than rows, or nothing would ever repeat.
    fn pool(&self) -> u64 {
        (self.rows / 5).clamp(3, 10_000)
    }

    fn is_unique(&self) -> bool {
        self.is(&["id", "uuid", "guid"]) || self.has(&["uuid", "guid"]) || {
            let one =
                ["event", "request", "transaction", "message", "trace", "span", "log", "order", "payment"];
            self.has(&["id"]) && self.parts.iter().any(|p| one.contains(&p.as_str()))
        }
    }

    fn text(&self, row: u64, rng: &mut Rng) -> String {
        let pick = |list: &[&str], rng: &mut Rng| list[skewed(rng, list.len())].to_owned();
        let has = |words: &[&str]| self.has(words);
        if self.is_unique() {
            return if has(&["uuid", "guid"]) {
                uuid(rng)
            } else {
                format!("{}_{}", self.stem(), hex(rng, 12))
            };
        }
        if has(&["id", "ids", "key"]) {
            let n = skewed(rng, usize::try_from(self.pool()).unwrap_or(3));
            return format!("{}_{:04}", self.stem(), n + 1);
        }
        if has(&["email", "mail"]) {
            let (first, last) = (pick(words::FIRST_NAMES, rng), pick(words::LAST_NAMES, rng));
            return format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
        }
        if has(&["agent", "useragent", "ua"]) {
            return pick(words::AGENTS, rng);
        }
        if has(&["firstname", "first"]) {
            return pick(words::FIRST_NAMES, rng);
        }
        if has(&["lastname", "last", "surname"]) {
            return pick(words::LAST_NAMES, rng);
        }
        if has(&["country"]) {
            let (code, name) = words::COUNTRIES[skewed(rng, words::COUNTRIES.len())];
            return if has(&["name"]) { name } else { code }.to_owned();
        }
        let lists: &[(&[&str], &[&str])] = &[
            (&["city", "town"], words::CITIES),
            (&["currency"], words::CURRENCIES),
            (&["locale", "lang", "language"], words::LOCALES),
            (&["path", "pathname", "route", "page"], words::PATHS),
            (&["domain", "host", "hostname", "site"], words::DOMAINS),
            (&["browser"], words::BROWSERS),
            (&["os", "platform"], words::SYSTEMS),
            (&["device"], words::DEVICES),
            (&["method"], words::METHODS),
            (&["level", "severity"], words::LEVELS),
            (&["service", "source", "app", "application"], words::SERVICES),
            (&["environment", "env", "stage"], words::ENVIRONMENTS),
            (&["status", "state"], words::STATUSES),
            (&["action", "event", "type", "kind"], words::ACTIONS),
            (&["category", "section", "department"], words::CATEGORIES),
            (&["color", "colour"], words::COLORS),
            (&["company", "organization", "organisation", "tenant", "customer", "vendor"], words::COMPANIES),
            (&["plan", "tier"], words::PLANS),
        ];
        if has(&["url", "href", "referrer", "referer", "link"]) {
            return format!("https://{}{}", pick(words::DOMAINS, rng), pick(words::PATHS, rng));
        }
        if has(&["ip", "address"]) && has(&["ip"]) {
            return ipv4(rng);
        }
        for (names, list) in lists {
            if has(names) {
                return pick(list, rng);
            }
        }
        if has(&["phone", "tel"]) {
            return format!("+1555{:07}", rng.u32(0..10_000_000));
        }
        if has(&["version", "release"]) {
            return format!("{}.{}.{}", rng.u8(1..4), rng.u8(0..10), rng.u8(0..20));
        }
        if has(&["hash", "token", "sha", "checksum", "fingerprint"]) {
            return hex(rng, 32);
        }
        if has(&["sku", "product", "item"]) {
            return format!("sku_{:04}", skewed(rng, 40) + 1);
        }
        if has(&["payload", "json", "data", "properties", "attributes", "metadata", "body", "context"]) {
            return object(rng);
        }
        if has(&["timestamp", "datetime"]) || has(&["at"]) && self.parts.len() > 1 {
            return text_of(self.moment(row, rng), 0);
        }
        if has(&["date", "day"]) {
            return text_of(self.moment(row, rng), 0).chars().take(10).collect();
        }
        if has(&["message", "description", "title", "comment", "text", "note", "query", "subject"]) {
            let count = rng.usize(3..8);
            let words: Vec<&str> =
                (0..count).map(|_| words::WORDS[rng.usize(0..words::WORDS.len())]).collect();
            return words.join(" ");
        }
        if has(&["name", "username", "user", "author", "owner"]) {
            return format!("{} {}", pick(words::FIRST_NAMES, rng), pick(words::LAST_NAMES, rng));
        }
        pick(words::WORDS, rng)
    }

    /// What an identifier is one of: `user` for `user_id`, the whole name for others.
    fn stem(&self) -> String {
        let kept: Vec<&str> =
            self.parts.iter().map(String::as_str).filter(|p| !matches!(*p, "id" | "ids" | "key")).collect();
        if kept.is_empty() { self.name.clone() } else { kept.join("_") }
    }

    fn short_code(&self, rng: &mut Rng) -> String {
        if self.has(&["currency"]) {
            words::CURRENCIES[skewed(rng, words::CURRENCIES.len())].to_owned()
        } else if self.has(&["country"]) {
            words::COUNTRIES[skewed(rng, words::COUNTRIES.len())].0.to_owned()
        } else {
            "xxxxxxxx".to_owned()
        }
    }

    fn integer(&self, ty: &Type, row: u64, rng: &mut Rng) -> String {
        let (signed, bits) = ty.integer().unwrap_or((true, 32));
        let most: u64 = match (signed, bits) {
            (_, 64..) => 1 << 53,
            (true, bits) => (1 << (bits - 1)) - 1,
            (false, bits) => (1 << bits) - 1,
        };
        let has = |words: &[&str]| self.has(words);
        let boolean = self.parts.first().is_some_and(|p| matches!(p.as_str(), "is" | "has" | "was" | "can"));
        let value = if boolean || has(&["flag", "enabled", "active", "deleted"]) {
            u64::from(rng.u8(0..10) < 3)
        } else if self.is_unique() {
            row + 1
        } else if has(&["id", "ids", "key"]) {
            skewed(rng, usize::try_from(self.pool()).unwrap_or(3)) as u64 + 1
        } else if has(&["status", "code"]) {
            u64::from(words::STATUS_CODES[skewed(rng, words::STATUS_CODES.len())])
        } else if has(&["timestamp", "time", "ts", "at", "epoch"])
            && bits >= 32
            && !has(&["response", "duration"])
        {
            let seconds = self.moment(row, rng).max(0).unsigned_abs();
            if bits >= 64 && has(&["ms", "millis", "milliseconds"]) { seconds * 1000 } else { seconds }
        } else if has(&["age"]) {
            rng.u64(18..80)
        } else if has(&["year"]) {
            rng.u64(2015..2026)
        } else if has(&["month"]) {
            rng.u64(1..13)
        } else if has(&["hour"]) {
            rng.u64(0..24)
        } else if has(&["minute", "second"]) {
            rng.u64(0..60)
        } else if has(&["port"]) {
            [443, 80, 8080, 5432][rng.usize(0..4)]
        } else if has(&["bytes", "size", "length"]) {
            200 + skewed(rng, 100_000) as u64
        } else if has(&["duration", "latency", "ms", "elapsed", "time", "response"]) {
            1 + skewed(rng, 2_000) as u64
        } else if has(&["price", "amount", "cost", "revenue", "total", "salary"]) {
            100 + skewed(rng, 20_000) as u64
        } else if has(&["percent", "percentage", "score", "progress"]) {
            rng.u64(0..101)
        } else if has(&["rating", "stars"]) {
            rng.u64(1..6)
        } else if has(&["quantity", "qty", "count", "n", "num", "number"]) {
            1 + skewed(rng, 10) as u64
        } else {
            skewed(rng, 1_000) as u64
        };
        value.min(most).to_string()
    }

    fn amount(&self, rng: &mut Rng) -> f64 {
        (100 + skewed(rng, 50_000)) as f64 / 100.0
    }

    fn float(&self, rng: &mut Rng) -> String {
        let has = |words: &[&str]| self.has(words);
        if has(&["lat", "latitude"]) {
            format!("{:.4}", latitude(rng))
        } else if has(&["lon", "lng", "longitude"]) {
            format!("{:.4}", longitude(rng))
        } else if has(&["ratio", "rate", "probability", "share", "fraction"]) {
            format!("{:.4}", rng.f64())
        } else if has(&["percent", "percentage", "score", "cpu", "memory", "humidity"]) {
            format!("{:.1}", rng.f64() * 100.0)
        } else if has(&["temperature", "temp"]) {
            format!("{:.1}", rng.f64() * 40.0 - 5.0)
        } else {
            format!("{:.2}", self.amount(rng))
        }
    }

    /// A moment of a row: later rows lie later, a little apart from each other.
    fn moment(&self, row: u64, rng: &mut Rng) -> i64 {
        let step = (SPAN as f64 / self.rows as f64).max(1.0);
        let jitter = rng.f64() * step;
        let age = SPAN as f64 - row as f64 * SPAN as f64 / self.rows as f64;
        // What is updated was created before, and what ends began.
        let after = if self.has(&["updated", "ended", "end", "modified", "finished", "completed"]) {
            3_600.0
        } else {
            0.0
        };
        let age = (age - jitter - after).max(1.0);
        self.now - age as i64
    }

    fn time(&self, ty: &Type, row: u64, rng: &mut Rng) -> String {
        let moment = self.moment(row, rng);
        match ty {
            Type::Date | Type::Date32 => {
                let birth = self.has(&["birth", "birthday", "dob", "born"]);
                let moment = if birth { moment - i64::from(rng.u32(18..70)) * 31_556_952 } else { moment };
                // The engine's plain dates begin in 1970.
                quote(&text_of(moment.max(0), 0).chars().take(10).collect::<String>())
            }
            Type::DateTime64(scale, _) => quote(
                &text_of(moment, usize::from((*scale).min(9))).replace("§", &digits(rng, (*scale).min(9))),
            ),
            Type::Time | Type::Time64(_) => quote(&text_of(moment, 0).chars().skip(11).collect::<String>()),
            _ => quote(&text_of(moment, 0)),
        }
    }
}

fn is_time(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..) | Type::Time | Type::Time64(_)
    )
}

/// `2025-01-31 10:00:00`; with `.§` behind it where digits of a fraction go.
fn text_of(seconds: i64, scale: usize) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let t = moment.to_zoned(TimeZone::UTC).datetime();
    let fraction = if scale > 0 { ".§" } else { "" };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{fraction}",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// The words of a name: `userId`, `user_id` and `user-id` are two.
fn parts(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut last_is_lower = false;
    for c in name.chars() {
        let ends = !c.is_alphanumeric() || (c.is_uppercase() && last_is_lower);
        if ends && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        last_is_lower = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// One of `count`, early ones more often.
fn skewed(rng: &mut Rng, count: usize) -> usize {
    let u = rng.f64();
    ((u * u * count as f64) as usize).min(count.saturating_sub(1))
}

fn latitude(rng: &mut Rng) -> f64 {
    rng.f64() * 130.0 - 55.0
}

fn longitude(rng: &mut Rng) -> f64 {
    rng.f64() * 360.0 - 180.0
}

fn hex(rng: &mut Rng, length: usize) -> String {
    (0..length).map(|_| char::from_digit(rng.u32(0..16), 16).unwrap_or('0')).collect()
}

fn digits(rng: &mut Rng, length: u8) -> String {
    (0..length).map(|_| char::from_digit(rng.u32(0..10), 10).unwrap_or('0')).collect()
}

fn uuid(rng: &mut Rng) -> String {
    let h = hex(rng, 30);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[12..15], &h[15..18], &h[18..30])
}

/// An address that is nobody's: RFC 5737 keeps these for examples.
fn ipv4(rng: &mut Rng) -> String {
    let net = ["192.0.2", "198.51.100", "203.0.113"][rng.usize(0..3)];
    format!("{net}.{}", rng.u8(1..255))
}

/// A small object.
fn object(rng: &mut Rng) -> String {
    let word = |rng: &mut Rng| words::WORDS[rng.usize(0..words::WORDS.len())];
    format!("{{\"{}\":{},\"label\":\"{}\",\"ok\":{}}}", word(rng), rng.u16(0..1000), word(rng), rng.bool())
}
