//! Signing in through a provider of OpenID Connect: authorization code with PKCE, state and nonce. A person is known by issuer and
//! subject, never by an e-mail address; who is not tied to a user yet is tied by somebody who is signed in.

use crate::access::Caller;
use crate::refusal::Refusal;
use crate::users::Session;
use crate::{Instance, now_ms};
use anyhow::Result;
use attain_audit::Entry;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, TokenResponse as _,
};
use std::io::Read as _;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// The provider as the operator configured it.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// The name on the button.
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
}

/// A sign-in under way, kept in a cookie of the browser that began it.
#[derive(Debug, Clone)]
pub struct Flow {
    state: String,
    nonce: String,
    verifier: String,
}

impl Flow {
    pub fn cookie(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    pub fn from_cookie(text: &str) -> Option<Flow> {
        let mut parts = text.splitn(3, '.').map(str::to_owned);
        Some(Flow { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? })
    }
}

/// Asks the provider. No redirects, no proxies, bounded answers.
fn ask(request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let response = agent.run(request).map_err(std::io::Error::other)?;
    let (head, body) = response.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(HttpResponse::from_parts(head, bytes))
}

fn unreachable_provider(error: impl std::fmt::Display) -> Refusal {
    Refusal::unauthenticated(format!("the provider does not answer as it should: {error}"))
}

fn refused() -> Refusal {
    Refusal::unauthenticated("this sign-in was not begun here, or is over; begin it again")
}

impl OidcConfig {
    /// A provider is asked over TLS, but for one on this very machine.
    fn issuer(&self) -> Result<IssuerUrl, Refusal> {
        let own = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|local| self.issuer.starts_with(local));
        if !own && !self.issuer.starts_with("https://") {
            return Err(Refusal::invalid(format!("the issuer `{}` is not https", self.issuer)));
        }
        IssuerUrl::new(self.issuer.clone())
            .map_err(|error| Refusal::invalid(format!("the issuer `{}` is no address: {error}", self.issuer)))
    }

    /// The address to send the browser to, and what its cookie remembers.
    fn begin(&self, redirect: &str) -> Result<(String, Flow), Refusal> {
        let metadata = CoreProviderMetadata::discover(&self.issuer()?, &ask).map_err(unreachable_provider)?;
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|error| Refusal::invalid(error.to_string()))?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.client_id.clone()),
            Some(ClientSecret::new(self.client_secret.clone())),
        )
        .set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge)
            .url();
        let flow = Flow { state: state.secret().clone(), nonce: nonce.secret().clone(), verifier: verifier.secret().clone() };
        Ok((url.to_string(), flow))
    }

    /// Issuer and subject of whom the provider vouches for.
    fn subject(&self, redirect: &str, flow: &Flow, code: &str) -> Result<(String, String), Refusal> {
        let metadata = CoreProviderMetadata::discover(&self.issuer()?, &ask).map_err(unreachable_provider)?;
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|error| Refusal::invalid(error.to_string()))?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.client_id.clone()),
            Some(ClientSecret::new(self.client_secret.clone())),
        )
        .set_redirect_uri(redirect);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(unreachable_provider)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()))
            .request(&ask)
            .map_err(|_| Refusal::unauthenticated("the provider did not accept this sign-in; begin it again"))?;
        let id_token = tokens.id_token().ok_or_else(|| unreachable_provider("it sent no id token"))?;
        // Signature by the provider's keys (asymmetric ones only), issuer, audience, expiry and nonce.
        let claims = id_token
            .claims(&client.id_token_verifier(), &Nonce::new(flow.nonce.clone()))
            .map_err(|error| Refusal::unauthenticated(format!("the provider's token is not valid: {error}")))?;
        Ok((claims.issuer().to_string(), claims.subject().to_string()))
    }
}

impl Instance {
    /// The provider of OpenID Connect, by the name on its button.
    pub fn provider_name(&self) -> Option<String> {
        self.oidc.as_ref().map(|provider| provider.name.clone())
    }

    fn provider(&self) -> Result<OidcConfig, Refusal> {
        self.oidc.as_deref().cloned().ok_or_else(|| Refusal::not_found("no provider of OpenID Connect is configured"))
    }

    pub async fn begin_oidc(&self, redirect: &str) -> Result<(String, Flow)> {
        let (provider, redirect) = (self.provider()?, redirect.to_owned());
        Ok(tokio::task::spawn_blocking(move || provider.begin(&redirect)).await??)
    }

    /// Ends a sign-in. Somebody who is signed in already ties the provider's subject to herself.
    pub async fn end_oidc(
        &self,
        redirect: &str,
        flow: Option<Flow>,
        state: &str,
        code: &str,
        signed_in: Option<&Caller>,
    ) -> Result<Session> {
        let (provider, redirect) = (self.provider()?, redirect.to_owned());
        // The state is compared before anything else is done with what came.
        let flow = flow.filter(|flow| !flow.state.is_empty() && blake3::hash(flow.state.as_bytes()) == blake3::hash(state.as_bytes()));
        let flow = flow.ok_or_else(refused)?;
        let code = code.to_owned();
        let (issuer, subject) = tokio::task::spawn_blocking(move || provider.subject(&redirect, &flow, &code)).await??;
        let mut read = self.database.read().await?;
        let known = attain_store::users::of_identity(&mut read, &issuer, &subject).await?;
        let is_enabled = match &known {
            Some(user_id) => attain_store::users::by_id(&mut read, user_id).await?.is_some_and(|user| !user.disabled),
            None => false,
        };
        drop(read);
        match (known, signed_in) {
            (Some(user_id), _) if is_enabled => self.begin_session_of(&user_id, "sign-in", "oidc").await,
            (Some(_), _) => Err(refused().into()),
            (None, Some(caller)) => {
                let now = now_ms();
                let mut tx = self.database.begin().await?;
                attain_store::users::add_identity(&mut tx, &issuer, &subject, &caller.user_id).await?;
                let entry = Entry::new(&caller.user_id, "tie-identity", &caller.user_id).after(&attain_store::digest(subject.as_bytes()));
                attain_audit::append(&mut tx, entry, now).await?;
                tx.commit().await?;
                self.begin_session_of(&caller.user_id, "sign-in", "oidc").await
            }
            (None, None) => Err(Refusal::unauthenticated(
                "nobody here is tied to this identity; sign in with a link or a password once and connect it in your account",
            )
            .into()),
        }
    }
}
