use super::{Action, Caller, Hierarchy, Role};
use attain_domain::Day;
use attain_domain::table::{Column, NULL_NUMBER, Table};
use proptest::prelude::*;

type Edge = (u8, u8, i64, Option<i64>);

fn table(key: &str, value: &str, edges: &[Edge]) -> Table {
    let text = |pick: fn(&Edge) -> u8| Column::text(&edges.iter().map(|edge| Some(pick(edge).to_string())).collect::<Vec<_>>());
    Table::new("rows")
        .with(key, text(|edge| edge.0))
        .with(value, text(|edge| edge.1))
        .with("from_on", Column::integer(edges.iter().map(|edge| edge.2).collect()))
        .with("until_on", Column::integer(edges.iter().map(|edge| edge.3.unwrap_or(NULL_NUMBER)).collect()))
}

fn holds(edge: &Edge, day: i64) -> bool {
    edge.2 <= day && edge.3.is_none_or(|until| day < until)
}

/// Whether `viewer` sits above `target` on that day, found by walking up from every seat of the target.
fn above(hierarchy: &[Edge], occupancies: &[Edge], viewer: u8, target: u8, day: i64) -> bool {
    let seats = |payee: u8| occupancies.iter().filter(move |own| own.1 == payee && holds(own, day)).map(|own| own.0);
    let mut open: Vec<u8> = seats(target).collect();
    let mut seen = open.clone();
    while let Some(position) = open.pop() {
        for edge in hierarchy.iter().filter(|edge| edge.0 == position && holds(edge, day)) {
            if seats(viewer).any(|seat| seat == edge.1) {
                return true;
            }
            if !seen.contains(&edge.1) {
                seen.push(edge.1);
                open.push(edge.1);
            }
        }
    }
    false
}

/// Managers have lower numbers than those below them, as loading makes sure that there are no circles.
fn edges() -> impl Strategy<Value = Vec<Edge>> {
    let edge = (1u8..8, 0u8..8, 0i64..20, proptest::option::of(1i64..15));
    proptest::collection::vec(edge.prop_map(|(low, high, from, length)| (low, high % low, from, length.map(|length| from + length))), 0..14)
}

fn seats() -> impl Strategy<Value = Vec<Edge>> {
    let seat = (0u8..8, 0u8..6, 0i64..20, proptest::option::of(1i64..15));
    proptest::collection::vec(
        seat.prop_map(|(position, payee, from, length)| (position, payee, from, length.map(|length| from + length))),
        0..14,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_manager_sees_exactly_the_days_on_which_somebody_reported_to_her(hierarchy in edges(), occupancies in seats(), viewer in 0u8..6) {
        let known = Hierarchy::new(&table("position_id", "manager_position_id", &hierarchy), &table("position_id", "payee_id", &occupancies));
        let caller = Caller::new("viewer", "", Some(&viewer.to_string()), [Role::Manager], Some(&[Action::SeeTeamPay]));
        let visible = known.visible_to(&caller);
        for target in 0u8..6 {
            for day in 0i64..36 {
                let expected = above(&hierarchy, &occupancies, viewer, target, day);
                let day = i32::try_from(day).expect("a small day");
                prop_assert_eq!(visible.sees(&target.to_string(), Day(day), Day(day + 1)), expected, "payee {} on day {}", target, day);
            }
        }
    }
}

#[test]
fn a_seller_sees_herself_and_nobody_else() {
    let known = Hierarchy::new(
        &table("position_id", "manager_position_id", &[(1, 0, 0, None)]),
        &table("position_id", "payee_id", &[(0, 1, 0, None), (1, 2, 0, None)]),
    );
    let visible = known.visible_to(&Caller::new("ana", "", Some("2"), [Role::Seller], None));
    assert!(visible.sees("2", Day(5), Day(6)));
    assert!(!visible.knows("1"));
}

#[test]
fn the_platform_role_sees_no_pay() {
    let caller = Caller::new("pat", "", Some("1"), [Role::Platform], None);
    let visible = Hierarchy::default().visible_to(&caller);
    assert!(!visible.knows("1"));
    assert!(caller.require_one(&[Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay]).is_err());
}

#[test]
fn a_token_can_do_less_than_its_owner_and_never_more() {
    let owner = Caller::new("cora", "", None, [Role::Finance], None);
    let token = Caller::new("cora", "", None, [Role::Finance], Some(&[Action::SeeAudit, Action::ManageUsers]));
    assert!(token.may(Action::SeeAudit));
    assert!(!token.may(Action::Calculate) && owner.may(Action::Calculate));
    assert!(!token.may(Action::ManageUsers), "a scope gives nothing that the roles do not");
}

#[test]
fn no_role_both_drafts_alone_and_manages_users() {
    for role in Role::ALL {
        let caller = Caller::new("x", "", None, [role], None);
        assert!(!(caller.may(Action::ApproveChanges) && caller.may(Action::ManageUsers)), "{}", role.name());
    }
}
