//! `attain serve`: the interface and the console on one port, jobs and reloads beside them, until a signal to stop.

use crate::cli::{Exit, ServeArgs};
use anyhow::Result;
use attain_app::live::Event;
use attain_app::oidc::OidcConfig;
use attain_app::{Config, Instance};
use attain_extend::watch;

pub async fn serve(config: &Config, args: ServeArgs) -> Result<Exit> {
    let oidc = args.oidc_issuer.zip(args.oidc_client_id).map(|(issuer, client_id)| OidcConfig {
        name: args.oidc_name,
        issuer,
        client_id,
        client_secret: args.oidc_client_secret,
    });
    let instance = Instance::open_server(&Config { oidc, ..config.clone() }).await?;
    let told = instance.clone();
    let watcher = instance.watch_with(move |event| told.tell(shown(&event)))?;
    let changes = tokio::spawn({
        let instance = instance.clone();
        async move { instance.tell_of_changes().await }
    });
    let setup = instance.new_setup_link().await?;
    let public = args.public_url.clone();
    let options = attain_http::Options { listen: args.listen, public_url: args.public_url, plain_cookies: args.plain_cookies };
    attain_http::serve(instance.clone(), options, stopped(), |address| {
        let url = public.unwrap_or_else(|| format!("http://{address}"));
        eprintln!("serving on {url}  (stop with Ctrl-C)");
        if let Some(secret) = setup {
            eprintln!("  nobody can sign in yet; make the first user within 7 days, once, at\n  {}", setup_url(&url, &secret));
        }
    })
    .await?;
    changes.abort();
    drop(watcher);
    instance.close().await;
    Ok(Exit::Ok)
}

/// What stands behind `#` never reaches a server's log.
pub fn sign_in_url(url: &str, secret: &str) -> String {
    format!("{}/sign-in#token={secret}", url.trim_end_matches('/'))
}

fn setup_url(url: &str, secret: &str) -> String {
    format!("{}/setup#token={secret}", url.trim_end_matches('/'))
}

fn shown(event: &watch::Event) -> Event {
    match event {
        watch::Event::Swapped(swap) => Event::Reload { name: swap.name.clone(), accepted: true, message: String::new() },
        watch::Event::Refused { path, line, message, .. } => {
            let at = line.map_or_else(String::new, |line| format!("line {line}: "));
            Event::Reload { name: path.display().to_string(), accepted: false, message: format!("{at}{message}") }
        }
    }
}

async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    // Without signals the server runs until it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
