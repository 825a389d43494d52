//! `attain serve`: the interface and the console on one port, jobs and reloads beside them, until a signal to stop.

use crate::cli::{Exit, ServeArgs};
use anyhow::Result;
use attain_app::mail::MailConfig;
use attain_app::oidc::OidcConfig;
use attain_app::outbox::OutwardConfig;
use attain_app::refusal::Refusal;
use attain_app::{Config, Instance};
use std::time::Duration;

pub async fn serve(config: &Config, args: ServeArgs) -> Result<Exit> {
    let oidc = args.oidc_issuer.zip(args.oidc_client_id).map(|(issuer, client_id)| OidcConfig {
        name: args.oidc_name,
        issuer,
        client_id,
        client_secret: args.oidc_client_secret,
    });
    let mail = args.smtp_url.zip(args.mail_from).map(|(smtp_url, from)| MailConfig { smtp_url, from });
    if mail.is_some() && args.public_url.is_none() {
        return Err(Refusal::invalid("mails hold links: say with --public-url where people reach this server").into());
    }
    let outward = OutwardConfig { mail, public_url: args.public_url.clone(), webhook_hosts: args.webhook_host };
    let instance = Instance::open_server(&Config { oidc, outward, ..config.clone() }).await?;
    let watcher = instance.watch()?;
    let changes = tokio::spawn({
        let instance = instance.clone();
        async move { instance.tell_of_changes().await }
    });
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let worker = tokio::spawn({
        let instance = instance.clone();
        let (node, lease) = (args.node.unwrap_or_else(node), Duration::from_secs(args.lease));
        async move { instance.work(&node, lease, stopping).await }
    });
    let setup = instance.new_setup_link().await?;
    let public = args.public_url.clone();
    let options = attain_http::Options { listen: args.listen, public_url: args.public_url, plain_cookies: args.plain_cookies };
    let ended = async move {
        stopped().await;
        // The worker ends beside the requests.
        let _ = stop.send(true);
    };
    attain_http::serve(instance.clone(), options, ended, |address| {
        let url = public.unwrap_or_else(|| format!("http://{address}"));
        eprintln!("serving on {url}  (stop with Ctrl-C)");
        if let Some(secret) = setup {
            eprintln!("  nobody can sign in yet; make the first user within 7 days, once, at\n  {}", setup_url(&url, &secret));
        }
    })
    .await?;
    worker.await?;
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

/// The name of this process in the history of jobs.
fn node() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "node".to_owned());
    format!("{host}:{}", std::process::id())
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
