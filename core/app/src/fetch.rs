//! Outgoing HTTP for connectors: granted hosts only, every resolved address checked, no redirects, no proxies, bounded.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// The largest answer that a connector is given, in bytes.
pub const BODY_BYTES_MAX: u64 = 8 * 1024 * 1024;
const WAIT_MAX: Duration = Duration::from_secs(20);

/// One answer from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Whether the grant `host` or `host:port` covers this host and port. Without a port it covers the scheme's own.
pub fn covers(grant: &str, scheme: &str, host: &str, port: Option<u16>) -> bool {
    let own = if scheme == "https" { 443 } else { 80 };
    let (name, granted) = match grant.rsplit_once(':').and_then(|(name, port)| port.parse::<u16>().ok().map(|port| (name, port))) {
        Some((name, port)) => (name, port),
        None => (grant, own),
    };
    name.eq_ignore_ascii_case(host) && granted == port.unwrap_or(own)
}

/// Gets `url` if one of `grants` covers it, within `timeout` and at most 20 seconds. Errors are sentences for the author of the connector.
pub fn get(url: &str, headers: &[(String, String)], grants: &[String], timeout: Duration) -> Result<Fetched, String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is not a URL"))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if scheme != "https" && scheme != "http" {
        return Err(format!("`{url}` is neither http nor https"));
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("a URL may not carry a user name; ask for a granted secret instead".to_owned());
    }
    let host = uri.host().ok_or_else(|| format!("`{url}` names no host"))?;
    let Some(grant) = grants.iter().find(|grant| covers(grant, scheme, host, uri.port_u16())) else {
        return Err(format!(
            "host `{host}` is not granted; an admin can run `attain plugin grant NAME {}`",
            uri.authority().map_or(host, |own| own.as_str())
        ));
    };
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(timeout.min(WAIT_MAX)))
        .max_response_header_size(64 * 1024)
        .build();
    // A name may lead to a private address only where the grant itself is an address or `localhost`.
    let literal = grant_host(grant).parse::<IpAddr>().is_ok() || grant_host(grant) == "localhost";
    let agent =
        ureq::Agent::with_parts(config, DefaultConnector::default(), PublicOnly { inner: DefaultResolver::default(), private: literal });
    let mut request = agent.get(uri);
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("host") {
            return Err("a connector may not set the header `host`".to_owned());
        }
        request = request.header(name, value);
    }
    let mut response = request.call().map_err(|error| format!("`{url}`: {error}"))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response.body_mut().as_reader().take(BODY_BYTES_MAX + 1).read_to_end(&mut body).map_err(|error| format!("`{url}`: {error}"))?;
    if body.len() as u64 > BODY_BYTES_MAX {
        return Err(format!("`{url}` answered more than {BODY_BYTES_MAX} bytes; ask for smaller pages"));
    }
    Ok(Fetched { status, body })
}

/// The parsed URL, and whether it lies in our own network by the word of whoever started the server. Only `https` is posted to, but to
/// those hosts.
fn postable(url: &str, own_hosts: &[String]) -> Result<(Uri, bool), String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is not a URL"))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("a URL may not carry a user name".to_owned());
    }
    let host = uri.host().ok_or_else(|| format!("`{url}` names no host"))?;
    let own = ["https", "http"].contains(&scheme) && own_hosts.iter().any(|grant| covers(grant, scheme, host, uri.port_u16()));
    if own {
        return Ok((uri, true));
    }
    if scheme != "https" {
        return Err(format!("`{url}` is not https; a host of your own network is allowed with `--webhook-host {host}`"));
    }
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if literal.is_ok_and(|address| !is_public(address)) || host == "localhost" {
        return Err(format!("`{host}` is not public; it is allowed with `--webhook-host {host}`"));
    }
    Ok((uri, false))
}

/// Refuses what [`post`] would refuse before any connection.
pub(crate) fn may_post(url: &str, own_hosts: &[String]) -> Result<(), String> {
    postable(url, own_hosts).map(drop)
}

/// Posts `body` and answers the status; what comes with it is not read. A name that leads to a private address is not connected to,
/// unless `own_hosts` has it. Redirects are not followed.
pub(crate) fn post(url: &str, headers: &[(String, String)], body: &[u8], own_hosts: &[String], timeout: Duration) -> Result<u16, String> {
    let (uri, own) = postable(url, own_hosts)?;
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(timeout.min(WAIT_MAX)))
        .max_response_header_size(64 * 1024)
        .build();
    let agent =
        ureq::Agent::with_parts(config, DefaultConnector::default(), PublicOnly { inner: DefaultResolver::default(), private: own });
    let mut request = agent.post(uri);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = request.send(body).map_err(|error| format!("`{url}`: {error}"))?;
    Ok(response.status().as_u16())
}

fn grant_host(grant: &str) -> &str {
    match grant.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => grant,
    }
}

/// Resolves a name once and lets through what may be connected to; the connection goes to the address that was checked.
#[derive(Debug)]
struct PublicOnly {
    inner: DefaultResolver,
    private: bool,
}

impl Resolver for PublicOnly {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let permitted: Vec<SocketAddr> = found.iter().copied().filter(|address| self.private || is_public(address.ip())).collect();
        if permitted.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        for address in permitted {
            allowed.push(address);
        }
        Ok(allowed)
    }
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(own) => {
            let [a, b, ..] = own.octets();
            !(own.is_loopback()
                || own.is_private()
                || own.is_link_local()
                || own.is_unspecified()
                || own.is_broadcast()
                || own.is_multicast()
                || own.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(own) => {
            let segments = own.segments();
            if let Some(mapped) = own.to_ipv4_mapped() {
                return is_public(IpAddr::V4(mapped));
            }
            // Only global unicast, less 6to4, Teredo and documentation; NAT64 lies outside of it.
            segments[0] & 0xe000 == 0x2000
                && segments[0] != 0x2002
                && !(segments[0] == 0x2001 && (segments[1] == 0 || segments[1] == 0x0db8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_in_every_disguise_are_not_public() {
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "fd00::1",
            "fe80::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
        for address in ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn a_grant_covers_one_host_and_one_port() {
        assert!(covers("api.example.com", "https", "API.example.com", None));
        assert!(covers("api.example.com:8443", "https", "api.example.com", Some(8443)));
        for (grant, scheme, host, port) in [
            ("api.example.com", "https", "evil.example.com", None),
            ("api.example.com", "https", "api.example.com.evil.org", None),
            ("api.example.com", "https", "api.example.com", Some(8443)),
            ("api.example.com:443", "http", "api.example.com", None),
        ] {
            assert!(!covers(grant, scheme, host, port), "{grant} {host} {port:?}");
        }
    }

    #[test]
    fn a_webhook_goes_to_public_https_or_to_hosts_that_were_allowed() {
        let own = ["hooks.internal:8080".to_owned()];
        assert!(may_post("https://hooks.example.com/attain", &[]).is_ok());
        assert!(may_post("http://hooks.internal:8080/attain", &own).is_ok());
        for url in [
            "http://hooks.example.com/",
            "http://hooks.internal/",
            "http://hooks.internal:8081/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://169.254.169.254/latest",
            "https://localhost/",
            "https://user@hooks.example.com/",
            "file:///etc/passwd",
            "hooks.example.com",
        ] {
            assert!(may_post(url, &own).is_err(), "{url}");
        }
        // A name is public as far as one can see; where it leads is looked at when it is resolved.
        assert!(post("https://localhost.localdomain:1/", &[], b"{}", &[], Duration::from_millis(500)).is_err());
    }

    #[test]
    fn what_is_not_granted_is_refused_before_any_connection() {
        for url in [
            "http://169.254.169.254/latest",
            "ftp://granted.test/",
            "file:///etc/passwd",
            "http://user@granted.test/",
            "http://granted.test:99/",
        ] {
            assert!(get(url, &[], &["granted.test".to_owned()], WAIT_MAX).is_err(), "{url}");
        }
    }
}
