//! The engine, its limits, and the one path by which a component of any point is loaded and called.

use super::border::{self, TableOut};
use super::cache::Cache;
use super::grant::{Fetch, Grant};
use crate::limits::Limits;
use crate::manifest::{Capability, Manifest};
use attain_domain::ids::ExtensionDigest;
use attain_domain::point::{Answer, Call, Extension, Fault, FaultKind, Identity, Origin, Point, check_answer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, ComponentExportIndex, ComponentType, InstancePre, Linker, Lower};
use wasmtime::{Config, Engine, ResourceLimiter, Store, StoreContextMut, Trap, WasmBacktraceDetails};

/// How often the clock of deadlines ticks.
const TICK: Duration = Duration::from_millis(10);
/// Tables of functions of one instance, and entries in each.
const TABLES_MAX: usize = 10;
const TABLE_ELEMENTS_MAX: usize = 10_000;

#[derive(Clone, Default)]
pub struct HostOptions {
    /// Where compiled components are kept.
    pub cache: Option<Cache>,
    /// How connectors reach granted hosts; without it none does.
    pub fetch: Option<Arc<dyn Fetch>>,
}

/// One per process: extensions of different hosts share nothing.
pub struct Host {
    engine: Engine,
    options: HostOptions,
}

impl Host {
    pub fn new(options: HostOptions) -> anyhow::Result<Host> {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .epoch_interruption(true)
            .max_wasm_stack(512 << 10)
            .cranelift_nan_canonicalization(true)
            .wasm_component_model(true)
            .wasm_simd(true)
            .wasm_relaxed_simd(false)
            .wasm_multi_memory(false)
            .wasm_memory64(false)
            .wasm_tail_call(false)
            .wasm_backtrace_details(WasmBacktraceDetails::Disable);
        let engine = Engine::new(&config)?;
        let ticking = engine.weak();
        std::thread::Builder::new().name("extension-deadlines".to_owned()).spawn(move || {
            // Ticks follow the clock and not the sleeps: on a busy machine a sleep takes longer than it says.
            let started = Instant::now();
            let mut ticks = 0;
            while let Some(engine) = ticking.upgrade() {
                while ticks < started.elapsed().as_millis() / TICK.as_millis() {
                    engine.increment_epoch();
                    ticks += 1;
                }
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Host { engine, options })
    }

    /// Loads a component with the default limits of its point.
    pub fn load(&self, bytes: &[u8], grant: Grant) -> Result<WasmExtension, Fault> {
        self.load_with(bytes, grant, None)
    }

    pub fn load_with(&self, bytes: &[u8], grant: Grant, limits: Option<Limits>) -> Result<WasmExtension, Fault> {
        let invalid = |message: String| Fault::new(FaultKind::NotAnExtension, message);
        let size_max = limits.unwrap_or_default().component_bytes;
        if bytes.len() > size_max {
            return Err(invalid(format!("the component has {} bytes, more than the {size_max} allowed", bytes.len())));
        }
        let sections = super::sections(bytes)?;
        let Some(text) = sections.manifest else {
            return Err(invalid("the component has no manifest; build it with `attain plugin build`".to_owned()));
        };
        let manifest = Manifest::parse(&text)?;
        let digest = blake3::hash(bytes).to_hex().to_string();
        let component = match self.options.cache.as_ref().and_then(|cache| cache.load(&self.engine, &digest)) {
            Some(component) => component,
            None => {
                let component = Component::from_binary(&self.engine, bytes)
                    .map_err(|error| invalid(format!("the component is not valid: {}", first_line(&error))))?;
                if let Some(cache) = &self.options.cache {
                    cache.store(&self.engine, &digest, &component);
                }
                component
            }
        };
        let point = manifest.point;
        self.check_imports(&component, &manifest)?;
        let pre = self
            .linker(point)
            .and_then(|linker| linker.instantiate_pre(&component))
            .map_err(|error| invalid(format!("the component does not fit point `{point}`: {}", first_line(&error))))?;
        let (configure, run) = exports(&component, point)?;
        let identity = Identity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            point,
            origin: Origin::Wasm,
            digest: ExtensionDigest(digest),
        };
        let extension = WasmExtension {
            identity,
            limits: limits.unwrap_or_else(|| Limits::of(point)),
            manifest,
            cases: sections.cases.unwrap_or_default(),
            engine: self.engine.clone(),
            pre,
            configure,
            run,
            grant: Arc::new(grant),
            fetch: self.options.fetch.clone(),
        };
        extension.check_exports()?;
        Ok(extension)
    }

    /// A component may import what its contract offers and nothing else.
    fn check_imports(&self, component: &Component, manifest: &Manifest) -> Result<(), Fault> {
        let point = manifest.point;
        let mut foreign = Vec::new();
        for (name, _) in component.component_type().imports(&self.engine) {
            let known = name
                .strip_prefix("attain:")
                .and_then(|rest| rest.strip_prefix(point.name()))
                .and_then(|rest| rest.strip_prefix('/'))
                .and_then(|rest| rest.split_once("@1."))
                .map(|(interface, _)| interface);
            match known {
                Some("types" | "log") => {}
                Some("http") if point == Point::Connector => {
                    if !manifest.capabilities.contains(&Capability::Http) {
                        let message = format!(
                            "`{}` imports `{name}` without asking for it; add `capabilities = [\"http\"]` to its manifest",
                            manifest.name
                        );
                        return Err(Fault::new(FaultKind::NotGranted, message));
                    }
                }
                _ => foreign.push(format!("`{name}`")),
            }
        }
        if foreign.is_empty() {
            return Ok(());
        }
        let message = format!("the component imports {}, which point `{point}` does not offer; build it without them", foreign.join(", "));
        Err(Fault::new(FaultKind::NotAnExtension, message))
    }

    fn linker(&self, point: Point) -> wasmtime::Result<Linker<Guest>> {
        let mut linker: Linker<Guest> = Linker::new(&self.engine);
        linker
            .instance(&format!("attain:{point}/log@1.0.0"))?
            .func_wrap("write", |mut store: StoreContextMut<'_, Guest>, (message,): (String,)| store.data_mut().write(&message))?;
        if point == Point::Connector {
            linker.instance("attain:connector/http@1.0.0")?.func_wrap(
                "fetch",
                |mut store: StoreContextMut<'_, Guest>, (url, headers): (String, Vec<(String, String)>)| {
                    Ok((store.data_mut().fetch(&url, &headers)?,))
                },
            )?;
        }
        Ok(linker)
    }
}

fn exports(component: &Component, point: Point) -> Result<(ComponentExportIndex, ComponentExportIndex), Fault> {
    let name = format!("attain:{point}/extension@1.0.0");
    let interface = component.get_export_index(None, name.as_str());
    let find = |function: &str| {
        interface.as_ref().and_then(|interface| component.get_export_index(Some(interface), function)).ok_or_else(|| {
            Fault::new(
                FaultKind::NotAnExtension,
                format!("the component does not export `{function}` of `{name}`; build it with the SDK of point `{point}`"),
            )
        })
    };
    Ok((find("configure")?, find("run")?))
}

/// What one instance has at hand and has used.
struct Guest {
    limits: Limits,
    rows: u64,
    deadline: Instant,
    host_calls: u64,
    log: Vec<String>,
    log_bytes: usize,
    log_is_cut: bool,
    grant: Arc<Grant>,
    fetch: Option<Arc<dyn Fetch>>,
    /// The limit that was passed first: it names the fault, whatever the trap says.
    passed: Option<Fault>,
}

impl Guest {
    fn pass(&mut self, kind: FaultKind, message: String) -> wasmtime::Error {
        let error = wasmtime::Error::msg(message.clone());
        self.passed.get_or_insert_with(|| Fault::new(kind, message));
        error
    }

    /// Counts a call of a host function; the time spent in them is under the deadline too.
    fn enter(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let calls_max = self.limits.host_calls + self.limits.host_calls_per_row * self.rows;
        if self.host_calls > calls_max {
            return Err(self.pass(FaultKind::HostCalls, format!("it called the host more than {calls_max} times in one batch")));
        }
        if Instant::now() >= self.deadline {
            return Err(self.pass(FaultKind::Deadline, "it ran out of time in a call of the host".to_owned()));
        }
        Ok(())
    }

    fn write(&mut self, message: &str) -> wasmtime::Result<()> {
        self.enter()?;
        if self.log_bytes + message.len() <= self.limits.log_bytes {
            self.log_bytes += message.len();
            self.log.push(message.to_owned());
        } else if !self.log_is_cut {
            self.log_is_cut = true;
            self.log.push(format!("(the rest of the log is dropped: it is longer than {} bytes)", self.limits.log_bytes));
        }
        Ok(())
    }

    fn fetch(&mut self, url: &str, headers: &[(String, String)]) -> wasmtime::Result<Result<Response, String>> {
        self.enter()?;
        let Some(fetch) = self.fetch.clone().filter(|_| self.grant.covers(url)) else {
            let host = url.split('/').nth(2).unwrap_or(url);
            let message = format!("host `{host}` is not granted to it; an administrator can grant it");
            return Err(self.pass(FaultKind::NotGranted, message));
        };
        let timeout = self.deadline.saturating_duration_since(Instant::now());
        let fetched = fetch.get(url, headers, &self.grant, timeout);
        if Instant::now() >= self.deadline {
            return Err(self.pass(FaultKind::Deadline, format!("`{url}` did not answer in time")));
        }
        Ok(fetched.map(|fetched| Response { status: fetched.status, body: fetched.body }))
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Response {
    status: u16,
    body: Vec<u8>,
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let bytes_max = self.limits.memory_bytes;
        if desired > bytes_max {
            return Err(self.pass(FaultKind::Memory, format!("it asked for {desired} bytes of memory, more than the {bytes_max} allowed")));
        }
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            return Err(self.pass(
                FaultKind::Memory,
                format!("it asked for a table of {desired} functions, more than the {TABLE_ELEMENTS_MAX} allowed"),
            ));
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        TABLES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        TABLES_MAX
    }
}

/// A loaded component. Each batch has an instance of its own, so that nothing is carried from one to the next.
pub struct WasmExtension {
    identity: Identity,
    manifest: Manifest,
    cases: String,
    limits: Limits,
    engine: Engine,
    pre: InstancePre<Guest>,
    configure: ComponentExportIndex,
    run: ComponentExportIndex,
    grant: Arc<Grant>,
    fetch: Option<Arc<dyn Fetch>>,
}

type ConfigureAnswer = (Result<(), String>,);
type RunAnswer = (Result<Vec<TableOut>, String>,);

impl WasmExtension {
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The text of its cases; empty when it carries none.
    pub fn cases(&self) -> &str {
        &self.cases
    }

    fn store(&self, rows: u64) -> Result<(Store<Guest>, u64), Fault> {
        let limits = self.limits;
        let count = u32::try_from(rows).unwrap_or(u32::MAX);
        let wall = limits.wall.saturating_add(limits.wall_per_row.saturating_mul(count));
        let guest = Guest {
            limits,
            rows,
            deadline: Instant::now() + wall,
            host_calls: 0,
            log: Vec::new(),
            log_bytes: 0,
            log_is_cut: false,
            grant: Arc::clone(&self.grant),
            fetch: self.fetch.clone(),
            passed: None,
        };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| guest);
        // The clock may tick right after it is read: one more tick, so that nobody has less than promised.
        let ticks = u64::try_from(wall.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::from(u32::MAX)).min(u64::from(u32::MAX));
        store.set_epoch_deadline(ticks + 1);
        store.set_hostcall_fuel(limits.output_bytes.saturating_add(limits.output_bytes_per_row.saturating_mul(count as usize)));
        let fuel = limits.fuel.saturating_add(limits.fuel_per_row.saturating_mul(rows));
        store.set_fuel(fuel).map_err(|error| Fault::new(FaultKind::Trap, first_line(&error)))?;
        Ok((store, fuel))
    }

    /// Whether its functions have the types of the contract; told at load and not at the first batch.
    fn check_exports(&self) -> Result<(), Fault> {
        let (mut store, _) = self.store(0)?;
        let instance = self
            .pre
            .instantiate(&mut store)
            .map_err(|error| Fault::new(FaultKind::NotAnExtension, format!("it cannot be started: {}", fault(&store, &error).message)))?;
        let misfit = |error: wasmtime::Error| {
            Fault::new(
                FaultKind::NotAnExtension,
                format!("its functions do not have the types of point `{}`: {}", self.identity.point, first_line(&error)),
            )
        };
        instance.get_typed_func::<(&str,), ConfigureAnswer>(&mut store, self.configure).map_err(misfit)?;
        instance.get_typed_func::<(Vec<border::TableIn<'_>>,), RunAnswer>(&mut store, self.run).map_err(misfit)?;
        Ok(())
    }

    fn answer(&self, store: &mut Store<Guest>, call: &Call<'_>) -> wasmtime::Result<Result<Vec<TableOut>, String>> {
        let instance = self.pre.instantiate(&mut *store)?;
        let configure = instance.get_typed_func::<(&str,), ConfigureAnswer>(&mut *store, self.configure)?;
        let settings = call.settings.to_string();
        if let (Err(refusal),) = configure.call(&mut *store, (settings.as_str(),))? {
            return Ok(Err(refusal));
        }
        let run = instance.get_typed_func::<(Vec<border::TableIn<'_>>,), RunAnswer>(&mut *store, self.run)?;
        let (answer,) = run.call(&mut *store, (border::lower(call.input, &self.manifest.reads),))?;
        Ok(answer)
    }
}

impl Extension for WasmExtension {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let rows = call.input.iter().map(|table| table.row_count() as u64).sum();
        let (mut store, fuel) = self.store(rows)?;
        let tables = match self.answer(&mut store, call) {
            Ok(Ok(tables)) => border::lift(tables),
            Ok(Err(refusal)) => return Err(Fault::new(FaultKind::Refused, clipped(refusal))),
            Err(error) => return Err(fault(&store, &error)),
        };
        check_answer(self.identity.point.contract(), &tables)?;
        let fuel_used = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
        Ok(Answer { tables, log: store.into_data().log, fuel_used })
    }
}

fn fault(store: &Store<Guest>, error: &wasmtime::Error) -> Fault {
    if let Some(passed) = &store.data().passed {
        return passed.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Fault::new(FaultKind::Fuel, "it used all the fuel that the batch allows"),
        Some(Trap::Interrupt) => Fault::new(FaultKind::Deadline, "it did not answer in the time that the batch allows"),
        Some(Trap::StackOverflow) => Fault::new(FaultKind::Trap, "its call stack overflowed"),
        Some(trap) => {
            let panic = store.data().log.iter().rev().find_map(|line| line.strip_prefix("panic: "));
            Fault::new(FaultKind::Trap, panic.map_or_else(|| format!("it trapped: {trap}"), |panic| clipped(panic.to_owned())))
        }
        // wasmtime keeps the type of this error to itself.
        None if error.to_string().contains("fuel allocated for hostcalls") => {
            Fault::new(FaultKind::OutputSize, "it handed over more data than the batch allows")
        }
        None => Fault::new(FaultKind::InvalidAnswer, format!("its answer cannot be read: {}", first_line(error))),
    }
}

/// The cause, without the backtrace.
fn first_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    clipped(text.lines().next().unwrap_or_default().to_owned())
}

fn clipped(mut text: String) -> String {
    const BYTES_MAX: usize = 2_000;
    if text.len() > BYTES_MAX {
        let end = (0..=BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}
