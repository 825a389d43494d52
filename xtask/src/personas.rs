//! Who signs in to the demo company: one person for each way of looking at it.

/// A role's name as `attain user add` takes it.
pub struct Persona {
    pub name: &'static str,
    pub login: &'static str,
    pub roles: &'static [&'static str],
    pub payee_id: Option<&'static str>,
    /// What the demo says she sees.
    pub sees: &'static str,
}

const fn persona(
    name: &'static str,
    login: &'static str,
    roles: &'static [&'static str],
    payee_id: Option<&'static str>,
    sees: &'static str,
) -> Persona {
    Persona { name, login, roles, payee_id, sees }
}

/// The approver is a second comp-admin, because nobody approves her own change.
pub const PERSONAS: &[Persona] = &[
    persona("seller", "seller", &["seller"], Some("E1117"), "her own pay, explained"),
    persona("manager", "manager", &["manager", "seller"], Some("E1014"), "her team and her own pay"),
    persona("comp-admin", "comp-admin", &["comp-admin"], None, "plans, formulas, runs and data"),
    persona("approver", "approver", &["comp-admin"], None, "the same, to approve what the first one submits"),
    persona("finance", "finance", &["finance"], None, "what is paid, and why"),
    persona("auditor", "auditor", &["auditor"], None, "the trail, and everything it speaks of"),
    persona("platform", "platform", &["platform"], None, "users, jobs and extensions, and nobody's pay"),
];
