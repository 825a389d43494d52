//! Who signs in to the demo company: one person for each way of looking at it.

/// A role's name as `attain user add` takes it.
pub struct Persona {
    pub login: &'static str,
    pub roles: &'static [&'static str],
    pub payee_id: Option<&'static str>,
    /// What the demo says she sees.
    pub sees: &'static str,
}

const fn persona(login: &'static str, roles: &'static [&'static str], payee_id: Option<&'static str>, sees: &'static str) -> Persona {
    Persona { login, roles, payee_id, sees }
}

/// `fin` approves what `cora` submits, because nobody approves her own change.
pub const PERSONAS: &[Persona] = &[
    persona("ana", &["seller"], Some("E1106"), "a seller: her own pay, explained"),
    persona("mia", &["manager", "seller"], Some("E1016"), "a manager: her team and her own pay"),
    persona("cora", &["comp-admin"], None, "compensation admin: formulas, plans, runs and data"),
    persona("fin", &["finance"], None, "finance: what is paid and why, and the second signature"),
    persona("audi", &["auditor"], None, "an auditor: the trail, and everything it speaks of"),
    persona("pat", &["platform"], None, "platform: users, jobs and extensions, and nobody's pay"),
];
