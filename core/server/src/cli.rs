//! Every command in one list and one match. Results go to standard output, progress and logs to standard error.

use crate::credit::{self, CreditCommand};
use crate::{payouts, people, serve, show, tools};
use anyhow::{Context, Result};
use attain_app::access::{Action, Caller, Role};
use attain_app::refusal::{Refusal, RefusalKind};
use attain_app::users::{NewToken, NewUser};
use attain_app::{Config, Instance, planning};
use attain_domain::Day;
use clap::{Args, Parser, Subcommand};
use rust_decimal::Decimal;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a command's exit code says. The numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Ok = 0,
    Failure = 1,
    /// Also given by the argument parser.
    Usage = 2,
    /// A plan, a formula or data is wrong.
    Validation = 3,
    NotFound = 4,
    Conflict = 5,
    Permission = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Sales performance management: territories, quotas, credits and pay, each cent explained.
#[derive(Debug, Parser)]
#[command(name = "attain", version, propagate_version = true)]
pub struct Cli {
    /// Where the record is: `sqlite:PATH` or `postgres://…`
    #[arg(long, global = true, env = "ATTAIN_DATABASE", default_value = "sqlite:attain.db")]
    pub database: String,
    /// Folder of keys and caches; beside the database file by default
    #[arg(long, global = true, env = "ATTAIN_HOME")]
    pub home: Option<PathBuf>,
    /// Folders of built plugins and of scripts, watched while serving
    #[arg(long, global = true, env = "ATTAIN_PLUGINS", value_delimiter = ':')]
    pub plugins: Vec<PathBuf>,
    /// Who does it, for the audit trail
    #[arg(long, global = true, env = "ATTAIN_ACTOR", default_value = "operator")]
    pub actor: String,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no logs but errors
    #[arg(long, global = true)]
    pub quiet: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Load a company folder into an empty record
    Load { dir: PathBuf },
    /// Show what applying a company folder would change
    Diff { dir: PathBuf },
    /// Make the record equal to a company folder, keeping history
    Apply { dir: PathBuf },
    /// Write the record as a company folder
    Export { dir: PathBuf },
    /// Import rows of one entity from a CSV file; rows not in the file stay as they are
    Import(ImportArgs),
    /// Load company folders into throw-away databases, run them and compare with their `expected/`
    Test {
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
    },
    /// Calculate everything and post what changed
    Run,
    /// List past runs
    Runs,
    /// Periods and their states
    #[command(subcommand)]
    Period(PeriodCommand),
    /// Compute a past run again and compare root hashes
    Replay { run: String },
    /// Write a run as one file that can be checked without the server
    Bundle {
        /// A run, or `last`
        run: String,
        file: PathBuf,
        /// Only the results of this payee
        #[arg(long)]
        payee: Option<String>,
    },
    /// What finance books for a period
    Accounting {
        #[command(subcommand)]
        what: AccountingCommand,
    },
    /// Check a bundle: every hash, and everything calculated again. `yes`, or the first difference
    Verify {
        bundle: PathBuf,
        /// The run that it must be of, or the beginning of its hash
        #[arg(long)]
        root: Option<String>,
    },
    /// Explain a payee's pay of a period down to source rows
    Explain(ExplainArgs),
    /// Who earned what, findings and the hash of the last run
    Summary,
    /// Who would get credit for a deal; credit by hand
    #[command(subcommand)]
    Credit(CreditCommand),
    /// Plan territories or quotas, explain who is on which plan
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Continue a measure into coming periods
    Forecast(ForecastArgs),
    /// Serve the interface and the console, work on jobs, and reload extensions as they are saved
    Serve(ServeArgs),
    /// Who signs in: add users, make links and API tokens
    #[command(subcommand)]
    User(UserCommand),
    /// Print the OpenAPI document of the interface
    Openapi,
    /// Reload extensions as they are saved, without serving
    Watch,
    /// Write, build, test and install plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Pay what is due: draft, review, approve, export, confirm
    #[command(subcommand)]
    Payout(payouts::PayoutCommand),
    /// The pay ledger
    #[command(subcommand)]
    Ledger(payouts::LedgerCommand),
    /// What payees do not agree with: raise, answer, assign, resolve
    #[command(subcommand)]
    Dispute(people::DisputeCommand),
    /// Adjustments of pay: propose, and approve as a second person
    #[command(subcommand)]
    Adjustment(people::AdjustmentCommand),
    /// Approvals given to somebody else for some days
    #[command(subcommand)]
    Delegation(people::DelegationCommand),
    /// Programs elsewhere that are told what happens
    #[command(subcommand)]
    Webhook(people::WebhookCommand),
}

#[derive(Debug, Subcommand)]
pub enum PeriodCommand {
    /// List periods with their states
    List,
    /// Bring a period to its next state: open, in-review, approved, closed. A second person approves it
    Set {
        period: String,
        state: String,
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        second: people::Second,
    },
    /// Open an approved or closed period again, by two people
    Reopen {
        period: String,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        second: people::Second,
    },
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Name of the entity, for example `transactions`
    pub entity: String,
    pub file: PathBuf,
    /// Name of the system the rows come from
    #[arg(long, default_value = "file")]
    pub source: String,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[arg(long, env = "ATTAIN_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The address that people type, where a proxy stands before the server
    #[arg(long, env = "ATTAIN_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Issuer of a provider of OpenID Connect; its client secret comes from ATTAIN_OIDC_CLIENT_SECRET
    #[arg(long, env = "ATTAIN_OIDC_ISSUER", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,
    #[arg(long, env = "ATTAIN_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,
    #[arg(long, env = "ATTAIN_OIDC_CLIENT_SECRET", hide = true, hide_env_values = true, default_value = "")]
    pub oidc_client_secret: String,
    /// What the button for it says
    #[arg(long, env = "ATTAIN_OIDC_NAME", default_value = "single sign-on")]
    pub oidc_name: String,
    /// Where mail is sent: `smtps://user:password@host`, `smtp://host:587?tls=required`; none is sent without it
    #[arg(long, env = "ATTAIN_SMTP_URL", hide_env_values = true, requires = "mail_from")]
    pub smtp_url: Option<String>,
    /// Sender of mail, as `Attain <pay@example.com>`
    #[arg(long, env = "ATTAIN_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Hosts of our own network that webhooks may go to, also without TLS: `host` or `host:port`
    #[arg(long, env = "ATTAIN_WEBHOOK_HOSTS", value_delimiter = ',')]
    pub webhook_host: Vec<String>,
    /// Cookies without `Secure`: only for a network without TLS
    #[arg(long)]
    pub plain_cookies: bool,
    /// Name of this server in the history of jobs, where several share a record; host and process by default
    #[arg(long, env = "ATTAIN_NODE")]
    pub node: Option<String>,
    /// Seconds of silence after which another server takes over the jobs of this one
    #[arg(long, env = "ATTAIN_LEASE", default_value_t = 30, value_parser = clap::value_parser!(u64).range(3..=3600))]
    pub lease: u64,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user
    Add {
        login: String,
        #[arg(long)]
        name: Option<String>,
        /// The payee that this person is
        #[arg(long)]
        payee: Option<String>,
        /// seller, manager, comp-admin, finance, auditor, platform
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
    },
    /// List users
    List,
    /// Print a link that signs a user in
    Link {
        login: String,
        /// It can be used until it ends, not only once
        #[arg(long)]
        reusable: bool,
        /// The server's address
        #[arg(long, env = "ATTAIN_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
        url: String,
    },
    /// Print a new API token of a user, once
    Token {
        login: String,
        #[arg(long, default_value = "command line")]
        name: String,
        /// What it may do; all that the user may by default
        #[arg(long = "scope")]
        scopes: Vec<String>,
        #[arg(long, default_value_t = 30)]
        days: i64,
    },
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    pub payee: String,
    pub period: String,
    /// Only this line of the statement, with all of its credits
    #[arg(long)]
    pub line: Option<usize>,
    /// A run other than the last
    #[arg(long)]
    pub run: Option<String>,
}

#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// The measure to continue; the first of the company by default
    #[arg(long)]
    pub measure: Option<String>,
    #[arg(long, default_value_t = 6)]
    pub steps: usize,
}

#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Which compensation plans a payee is on on a day, and why not on others
    Explain {
        payee: String,
        /// A day, YYYY-MM-DD
        #[arg(long)]
        on: String,
    },
    /// Balance accounts over territories
    Territories {
        /// First day of the new assignment
        #[arg(long)]
        from: String,
        /// Write it to the record
        #[arg(long)]
        apply: bool,
    },
    /// Spread a yearly total over payees and periods
    Quotas {
        #[arg(long)]
        measure: Option<String>,
        /// Fiscal year to plan
        #[arg(long)]
        year: String,
        /// Fiscal year that gives weights and seasonality
        #[arg(long)]
        base_year: String,
        #[arg(long)]
        total: Option<Decimal>,
        #[arg(long, default_value = "1.08")]
        growth: Decimal,
        #[arg(long, default_value = "100")]
        step: Decimal,
        #[arg(long)]
        apply: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Write a new plugin that builds and passes its case
    New {
        name: String,
        /// Extension point: territory, quota, crediting, compensation, kpi, forecast, insight, connector, payout
        #[arg(long, default_value = "compensation")]
        point: String,
        /// Where the plugin's folder is made
        #[arg(long, default_value = ".")]
        dir: PathBuf,
        /// Folder of the SDK; found beside the sources by default
        #[arg(long, env = "ATTAIN_SDK")]
        sdk: Option<PathBuf>,
    },
    /// Compile a plugin's folder to a component
    Build {
        dir: PathBuf,
        #[arg(long, default_value = "target/plugins")]
        out: PathBuf,
        /// `rustup`, `debian`, or what is found
        #[arg(long, default_value = "auto")]
        toolchain: String,
    },
    /// Build a plugin, or take a built file or a script, and run its cases
    Test { path: PathBuf },
    /// Put a built plugin or a script into the record and make it the active one
    Install { file: PathBuf },
    /// Installed and bundled extensions
    List,
    /// Manifest, digest, imports and cases of a file
    Inspect { file: PathBuf },
    /// Allow an installed connector to reach a host
    Grant { name: String, host: String },
    /// Make an installed version the active one again
    Activate { name: String, digest: String },
    /// Pull records of an entity through a connector and import them
    Pull {
        connector: String,
        entity: String,
        /// Settings as JSON
        #[arg(long, default_value = "{}")]
        settings: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum AccountingCommand {
    /// The roll-forward of costs to obtain contracts; the last period with statements by default
    Amortization { period: Option<String> },
    /// What is accrued at expected results, and turned back
    Accruals { period: Option<String> },
    /// Both as journal lines
    Journal { period: Option<String> },
    /// All of it as one workbook (XLSX)
    Workbook {
        file: PathBuf,
        /// The last period with statements by default
        #[arg(long)]
        period: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every entry, the chain, and the checkpoints
    Verify,
}

/// Prints an error and gives its exit code.
pub fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let refusal = error.downcast_ref::<Refusal>();
    let exit = match refusal.map(|refusal| refusal.kind) {
        Some(RefusalKind::Invalid | RefusalKind::Extension) => Exit::Validation,
        Some(RefusalKind::NotFound) => Exit::NotFound,
        Some(RefusalKind::Conflict | RefusalKind::Stale | RefusalKind::Limited) => Exit::Conflict,
        Some(RefusalKind::Unauthenticated | RefusalKind::Forbidden) => Exit::Permission,
        None => Exit::Failure,
    };
    if json {
        let details = refusal.map(|refusal| refusal.details.clone()).unwrap_or_default();
        let problem = serde_json::json!({ "title": format!("{error:#}").lines().next(), "exit": exit as u8, "errors": details });
        eprintln!("{problem}");
    } else {
        eprintln!("error: {error:#}");
    }
    exit.into()
}

pub async fn execute(cli: Cli) -> Result<Exit> {
    let config = Config {
        database: cli.database.clone(),
        home: cli.home.clone(),
        plugins: cli.plugins.clone(),
        actor: cli.actor.clone(),
        oidc: None,
        outward: attain_app::outbox::OutwardConfig::default(),
    };
    let out = show::Output { json: cli.json, quiet: cli.quiet };
    match cli.command {
        Command::Test { dirs } => {
            let progress = out.progress("cases", dirs.len() as u64);
            let report = attain_app::check::test(&config, &dirs, &|_| progress.inc(1)).await?;
            progress.finish_and_clear();
            out.test(&report)?;
            Ok(if report.failed() == 0 { Exit::Ok } else { Exit::Failure })
        }
        Command::Plugin(command) => plugin(command, &config, out).await,
        Command::Serve(args) => serve::serve(&config, args).await,
        Command::Verify { bundle, root } => verify(&bundle, root.as_deref(), out),
        Command::Openapi => {
            out.json_or_text(&serde_json::to_value(attain_http::openapi())?)?;
            Ok(Exit::Ok)
        }
        Command::Watch => {
            let instance = Instance::open(&config).await?;
            let _watcher = instance.watch()?;
            tracing::info!("watching; stop with Ctrl-C");
            tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
            Ok(Exit::Ok)
        }
        other => with_instance(other, &Instance::open(&config).await?, out).await,
    }
}

/// The commands that act on an open record.
async fn with_instance(command: Command, instance: &Instance, out: show::Output) -> Result<Exit> {
    match command {
        Command::Load { dir } => out.receipt(&instance.load(&dir).await?),
        Command::Diff { dir } => out.changes(&instance.diff(&dir).await?),
        Command::Apply { dir } => out.receipt(&instance.apply(&dir).await?),
        Command::Export { dir } => {
            instance.export(&dir).await?;
            out.line(&format!("written to {}", dir.display()))
        }
        Command::Import(args) => out.receipt(&instance.import(&args.entity, &args.file, &args.source).await?),
        Command::Run => {
            let progress = out.progress("stages", attain_app::runs::stage_count());
            let step = |stage: &str| {
                progress.set_message(stage.to_owned());
                progress.inc(1);
            };
            let report = instance.run(&step).await?;
            progress.finish_and_clear();
            out.run(&report)?;
            return Ok(if report.complete { Exit::Ok } else { Exit::Failure });
        }
        Command::Runs => out.runs(&instance.runs().await?),
        Command::Period(command) => people::period(command, instance, out).await,
        Command::Replay { run } => {
            let verdict = instance.replay(&run).await?;
            out.verdict(&verdict)?;
            return Ok(if verdict.equal { Exit::Ok } else { Exit::Failure });
        }
        Command::Bundle { run, file, payee } => {
            let root = instance.write_bundle(&run, payee.as_deref(), &file).await?;
            out.line(&format!("{root} written to {}", file.display()))
        }
        Command::Accounting { what } => {
            let (view, operator) = (instance.view().await?, Caller::operator(instance.actor()));
            match what {
                AccountingCommand::Amortization { period } => {
                    out.amortization(&instance.amortization(&view, &operator, period.as_deref()).await?)
                }
                AccountingCommand::Accruals { period } => out.accruals(&instance.accruals(&view, &operator, period.as_deref()).await?),
                AccountingCommand::Journal { period } => {
                    out.journal(&instance.accounting_journal(&view, &operator, period.as_deref()).await?)
                }
                AccountingCommand::Workbook { file, period } => {
                    let own = instance.accounting_workbook(&view, &operator, period.as_deref()).await?;
                    std::fs::write(&file, own.bytes).with_context(|| format!("{} could not be written", file.display()))?;
                    out.line(&format!("{} written to {}", own.name, file.display()))
                }
            }
        }
        Command::Explain(args) => out.explanation(&instance.explain(&args.payee, &args.period, args.line, args.run.as_deref()).await?),
        Command::Summary => out.summary(&instance.summary().await?),
        Command::Credit(command) => credit::execute(command, instance, out).await,
        Command::Plan(PlanCommand::Explain { payee, on }) => {
            let day: Day = on.parse().map_err(|()| Refusal::invalid(format!("`{on}` is not a day; write YYYY-MM-DD")))?;
            out.plan_reasons(&instance.company().await?.explain_plans(&payee, day))
        }
        Command::Plan(PlanCommand::Territories { from, apply }) => {
            let day: Day = from.parse().map_err(|()| Refusal::invalid(format!("`{from}` is not a day; write YYYY-MM-DD")))?;
            let proposal = instance.propose_territories(day).await?;
            out.territories(&proposal)?;
            applied(instance, out, apply, "account_territories", &proposal.wanted, "territories planned").await
        }
        Command::Plan(PlanCommand::Quotas { measure, year, base_year, total, growth, step, apply }) => {
            let measure_id = instance.measure_or_first(measure).await?;
            let request = planning::QuotaRequest { measure_id, year, base_year, total, growth, step };
            let proposal = instance.propose_quotas(&request).await?;
            out.quotas(&proposal)?;
            applied(instance, out, apply, "quotas", &proposal.wanted, "quotas planned").await
        }
        Command::Forecast(args) => {
            let measure = instance.measure_or_first(args.measure).await?;
            out.forecast(&instance.forecast(&measure, args.steps).await?)
        }
        Command::Audit(AuditCommand::Verify) => {
            let report = instance.verify_audit().await?;
            out.audit(&report)?;
            return Ok(if report.faults.is_empty() { Exit::Ok } else { Exit::Failure });
        }
        Command::User(command) => return user(command, instance, out).await,
        Command::Payout(command) => return payouts::payout(command, instance, out).await,
        Command::Ledger(command) => return payouts::ledger(command, instance, out).await,
        Command::Dispute(command) => people::dispute(command, instance, out).await,
        Command::Adjustment(command) => people::adjustment(command, instance, out).await,
        Command::Delegation(command) => people::delegation(command, instance, out).await,
        Command::Webhook(command) => people::webhook(command, instance, out).await,
        Command::Test { .. } | Command::Plugin(_) | Command::Serve(_) | Command::Openapi | Command::Watch | Command::Verify { .. } => {
            Ok(())
        }
    }?;
    Ok(Exit::Ok)
}

/// Judged by the library of `attain-verify`; its exit codes are these.
fn verify(bundle: &std::path::Path, root: Option<&str>, out: show::Output) -> Result<Exit> {
    let verdict = attain_verify::verify_file(bundle).map_err(|unfit| match unfit.exit() {
        attain_verify::Exit::Unreadable => Refusal::not_found(unfit.to_string()),
        attain_verify::Exit::OtherVersion => Refusal::conflict(unfit.to_string()),
        _ => Refusal::invalid(unfit.to_string()),
    })?;
    let verdict = match root {
        Some(root) => verdict.of_run(root),
        None => verdict,
    };
    out.bundle(&verdict)?;
    Ok(if verdict.difference.is_none() { Exit::Ok } else { Exit::Failure })
}

async fn user(command: UserCommand, instance: &Instance, out: show::Output) -> Result<Exit> {
    let operator = Caller::operator(instance.actor());
    let unknown =
        |what: &str, word: &str, known: Vec<&str>| Refusal::invalid(format!("`{word}` is no {what}; there are {}", known.join(", ")));
    match command {
        UserCommand::Add { login, name, payee, roles } => {
            let role = |word: &String| Role::from_name(word).ok_or_else(|| unknown("role", word, Role::ALL.map(Role::name).to_vec()));
            let roles = roles.iter().map(role).collect::<Result<Vec<_>, _>>()?;
            let new = NewUser { name: name.unwrap_or_else(|| login.clone()), login, payee_id: payee, roles };
            out.json_or_text(&serde_json::to_value(instance.add_user(&operator, &new).await?)?)?;
        }
        UserCommand::List => out.json_or_text(&serde_json::to_value(instance.users(&operator).await?)?)?,
        UserCommand::Link { login, reusable, url } => {
            let user = instance.user_by_login(&login).await?;
            let (secret, expires_at) = instance.new_link(&operator, &user.user_id, reusable).await?;
            let link = serve::sign_in_url(&url, &secret);
            if out.json {
                out.json_or_text(&serde_json::json!({ "url": link, "expires_at": expires_at }))?;
            } else {
                out.line(&link)?;
            }
        }
        UserCommand::Token { login, name, scopes, days } => {
            let user = instance.user_by_login(&login).await?;
            let scope =
                |word: &String| Action::from_name(word).ok_or_else(|| unknown("scope", word, Action::ALL.map(Action::name).to_vec()));
            let scopes = scopes.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
            let token = instance.add_token_for(&operator, &user.user_id, &NewToken { name, scopes, days }).await?;
            if out.json {
                out.json_or_text(&serde_json::to_value(token)?)?;
            } else {
                out.line(&token.secret.unwrap_or_default())?;
            }
        }
    }
    Ok(Exit::Ok)
}

async fn applied(
    instance: &Instance,
    out: show::Output,
    apply: bool,
    entity: &str,
    wanted: &attain_domain::Table,
    reason: &str,
) -> Result<()> {
    if apply {
        out.receipt(&instance.apply_table(entity, wanted, reason).await?)
    } else {
        out.note("nothing was written; add --apply to write it")
    }
}

async fn plugin(command: PluginCommand, config: &Config, out: show::Output) -> Result<Exit> {
    match command {
        PluginCommand::New { name, point, dir, sdk } => out.line(&tools::new_plugin(&name, &point, &dir, sdk)?)?,
        PluginCommand::Build { dir, out: target, toolchain } => {
            let built = tools::build_plugin(&dir, &target, &toolchain)?;
            out.line(&built)?;
        }
        PluginCommand::Test { path } => {
            let report = tools::test_plugin(&path)?;
            out.cases(&report)?;
            return Ok(if report.failed == 0 { Exit::Ok } else { Exit::Failure });
        }
        PluginCommand::Inspect { file } => out.json_or_text(&tools::inspect(&file)?)?,
        PluginCommand::Install { file } => out.json_or_text(&Instance::open(config).await?.install(&file).await?)?,
        PluginCommand::List => out.extensions(&Instance::open(config).await?.extensions().await?)?,
        PluginCommand::Grant { name, host } => {
            Instance::open(config).await?.grant(&name, &host).await?;
            out.line(&format!("`{name}` may reach `{host}`"))?;
        }
        PluginCommand::Activate { name, digest } => {
            let digest = Instance::open(config).await?.activate(&name, &digest).await?;
            out.line(&format!("`{name}` is now {digest}"))?;
        }
        PluginCommand::Pull { connector, entity, settings } => {
            let settings =
                serde_json::from_str(&settings).map_err(|error| Refusal::invalid(format!("`--settings` is not JSON: {error}")))?;
            out.receipt(&Instance::open(config).await?.pull(&connector, &entity, &settings).await?)?;
        }
    }
    Ok(Exit::Ok)
}
