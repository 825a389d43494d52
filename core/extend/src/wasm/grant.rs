//! What an administrator allows a connector: hosts, and a way to them that the caller provides.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// `host` or `host:port`, without scheme.
    pub hosts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Sends the requests of connectors. It is called for granted hosts only, must give up after `timeout`, and must not follow
/// a redirect to a host that is not granted.
pub trait Fetch: Send + Sync {
    fn get(&self, url: &str, headers: &[(String, String)], grant: &Grant, timeout: Duration) -> Result<Fetched, String>;
}

impl Grant {
    /// Whether the host of `url` is granted. A grant without a port covers the scheme's own port only.
    pub fn covers(&self, url: &str) -> bool {
        let (rest, own_port) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (rest, "443"),
            (_, Some(rest)) => (rest, "80"),
            _ => return false,
        };
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        if authority.contains('@') {
            return false;
        }
        let split = |text: &str| match text.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host.to_owned(), port.to_owned()),
            _ => (text.to_owned(), own_port.to_owned()),
        };
        let (host, port) = split(authority);
        !host.is_empty()
            && self.hosts.iter().map(|granted| split(granted)).any(|(name, granted)| name.eq_ignore_ascii_case(&host) && granted == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_granted_host_and_port_are_covered() {
        let grant = Grant { hosts: vec!["api.example.com".to_owned(), "localhost:8080".to_owned()] };
        for url in ["https://api.example.com/a?b", "https://API.example.com", "http://localhost:8080/x", "https://api.example.com:443/"] {
            assert!(grant.covers(url), "{url}");
        }
        for url in [
            "https://api.example.com:8443/",
            "https://api.example.com.evil.net/",
            "https://api.example.com@evil.net/",
            "https://evil.net/?api.example.com",
            "https://evil.net\\@api.example.com/",
            "http://localhost/",
            "ftp://api.example.com/",
            "https://",
        ] {
            assert!(!grant.covers(url), "{url}");
        }
    }
}
