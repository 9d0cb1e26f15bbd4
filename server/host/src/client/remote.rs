//! Hosts elsewhere, by URL.

use ureq::http::Uri;

use super::HostClient;
use crate::protocol::{Fit, PROTOCOL};

/// The environment variable with the token for a host elsewhere.
pub const TOKEN_VARIABLE: &str = "HEADWATER_TOKEN";

/// Says what is wrong with the URL of a host.
///
/// # Errors
///
/// In words, with what to write instead.
pub fn check_url(url: &str, plain_is_fine: bool) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|e| format!("`{url}` is no URL: {e}"))?;
    let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if authority.contains('@') {
        return Err(format!("the URL of a host holds no credentials: put the token into {TOKEN_VARIABLE}"));
    }
    if uri.query().is_some() {
        return Err(format!("`{url}`: the URL of a host has no `?`"));
    }
    let here = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
    match uri.scheme_str() {
        _ if host.is_empty() => Err(format!("`{url}` names no host; write https://HOST")),
        Some("https") => Ok(()),
        Some("http") if here || plain_is_fine => Ok(()),
        Some("http") => Err(format!(
            "`{url}` would send the token and all rows in clear text. Use https, or set HEADWATER_ALLOW_HTTP=1 where nobody else can listen"
        )),
        _ => Err(format!("`{url}` is no URL of a host; write https://HOST")),
    }
}

/// A client of the host at `url`, which people call `name`, after the handshake.
///
/// # Errors
///
/// What to do: mend the URL, set the token, update one of the two.
pub fn remote(name: &str, url: &str, token: Option<&str>, plain_is_fine: bool) -> Result<HostClient, String> {
    check_url(url, plain_is_fine)?;
    let token = token.map(str::trim).filter(|t| !t.is_empty());
    let token = token.ok_or_else(|| format!("{TOKEN_VARIABLE} is not set: put a token of {name} into it"))?;
    let client = HostClient::new(HostClient::config().build().into(), url, token, name);
    let version = client.version().map_err(|e| e.to_string())?;
    match version.fit(PROTOCOL) {
        Fit::Fits => Ok(client),
        Fit::UpdateUs => Err(format!(
            "{name} runs headwater {}, which is newer than this one: update this one",
            version.build
        )),
        Fit::Replace | Fit::UpdateHost => Err(format!(
            "{name} runs headwater {}, which is older than this one: update it, or use the older headwater here",
            version.build
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::check_url;

    #[test]
    fn tokens_travel_encrypted_or_not_far() {
        for fine in [
            "https://h.example.com",
            "https://h:8181/base",
            "http://localhost:1",
            "http://127.0.0.1:8181",
            "http://[::1]:8181",
        ] {
            assert_eq!(check_url(fine, false), Ok(()), "{fine}");
        }
        for (wrong, part) in [
            ("http://h.example.com", "clear text"),
            ("http://localhost.example.com", "clear text"),
            ("https://u:p@h", "credentials"),
            ("https://h/?token=x", "no `?`"),
            ("ftp://h", "https://HOST"),
            ("h", "https://HOST"),
            ("/x", "names no host"),
            ("", "no URL"),
        ] {
            let why = check_url(wrong, false).expect_err(wrong);
            assert!(why.contains(part), "{wrong}: {why}");
        }
        assert_eq!(check_url("http://h.internal", true), Ok(()));
    }
}
