-- Questions and disputes become one: `kind` says which. A question expects no amount and is answered; a dispute is decided. Questions that
-- there are keep their ids, states and threads. `holds_pay` says that no payout pays the payee before the dispute is settled.

-- only sqlite
-- What refers to the table is made anew beside it, so that nothing refers to it when it goes.
create table disputes_new (
    dispute_id text not null,
    kind text not null,
    payee_id text not null,
    period_id text not null,
    about text not null,
    line bigint,
    plan_id text,
    component_id text,
    transaction_id text,
    subject text not null,
    paid bigint,
    expected bigint,
    trace text,
    run_id text,
    state text not null,
    outcome text,
    granted bigint,
    change_id text,
    case_change_id text,
    raised_by text not null,
    raised_at bigint not null,
    assigned_to text,
    due_at bigint not null,
    resolved_by text,
    resolved_at bigint,
    holds_pay bigint not null,
    version bigint not null,
    constraint disputes_pk primary key (dispute_id),
    constraint disputes_about check (about in ('line', 'statement', 'credit')),
    constraint disputes_kind check (kind in ('question', 'dispute')),
    constraint disputes_state check (state in ('open', 'assigned', 'answered', 'resolved', 'closed', 'withdrawn')),
    constraint disputes_outcome check (outcome in ('accepted', 'partly', 'rejected')),
    constraint disputes_line check ((about = 'line') = (line is not null)),
    constraint disputes_resolved check (state <> 'resolved' or outcome is not null),
    constraint disputes_answered check (state <> 'answered' or kind = 'question'),
    constraint disputes_question check (kind = 'dispute' or (expected is null and outcome is null and granted is null and holds_pay = 0)),
    constraint disputes_holds check (holds_pay in (0, 1))
);
insert into disputes_new (dispute_id, kind, payee_id, period_id, about, line, plan_id, component_id, transaction_id, subject, paid, expected, trace,
    run_id, state, outcome, granted, change_id, case_change_id, raised_by, raised_at, assigned_to, due_at, resolved_by, resolved_at, holds_pay, version)
select dispute_id, 'dispute', payee_id, period_id, about, line, plan_id, component_id, transaction_id, subject, paid, expected, trace,
    run_id, state, outcome, granted, change_id, case_change_id, raised_by, raised_at, assigned_to, due_at, resolved_by, resolved_at, 0, version from disputes;
create table dispute_messages_new (
    dispute_id text not null,
    position bigint not null,
    author text not null,
    body text not null,
    written_at bigint not null,
    constraint dispute_messages_pk primary key (dispute_id, position),
    constraint dispute_messages_dispute foreign key (dispute_id) references disputes_new (dispute_id)
);
insert into dispute_messages_new (dispute_id, position, author, body, written_at)
select dispute_id, position, author, body, written_at from dispute_messages;
create table dispute_attachments_new (
    attachment_id text not null,
    dispute_id text not null,
    name text not null,
    media_type text not null,
    size bigint not null,
    sha256 text not null,
    body blob not null,
    added_by text not null,
    added_at bigint not null,
    constraint dispute_attachments_pk primary key (attachment_id),
    constraint dispute_attachments_dispute foreign key (dispute_id) references disputes_new (dispute_id)
);
insert into dispute_attachments_new (attachment_id, dispute_id, name, media_type, size, sha256, body, added_by, added_at)
select attachment_id, dispute_id, name, media_type, size, sha256, body, added_by, added_at from dispute_attachments;
drop table dispute_messages;
drop table dispute_attachments;
drop table disputes;
alter table disputes_new rename to disputes;
alter table dispute_messages_new rename to dispute_messages;
alter table dispute_attachments_new rename to dispute_attachments;
create index disputes_of_payee on disputes (payee_id);
create index disputes_of_change on disputes (change_id);
create index dispute_attachments_of_dispute on dispute_attachments (dispute_id);

-- only postgres
alter table disputes add column kind text not null default 'dispute';
alter table disputes add column holds_pay bigint not null default 0;
alter table disputes alter column kind drop default;
alter table disputes alter column holds_pay drop default;
alter table disputes drop constraint disputes_state;
alter table disputes add constraint disputes_state check (state in ('open', 'assigned', 'answered', 'resolved', 'closed', 'withdrawn'));
alter table disputes add constraint disputes_kind check (kind in ('question', 'dispute'));
alter table disputes add constraint disputes_answered check (state <> 'answered' or kind = 'question');
alter table disputes add constraint disputes_question
    check (kind = 'dispute' or (expected is null and outcome is null and granted is null and holds_pay = 0));
alter table disputes add constraint disputes_holds check (holds_pay in (0, 1));

-- Ten days are what the policy gives by default.
insert into disputes (dispute_id, kind, payee_id, period_id, about, line, subject, trace, run_id, state, raised_by, raised_at, due_at, holds_pay,
    version)
select question_id, 'question', payee_id, period_id, case when line is null then 'statement' else 'line' end, line, subject, trace, run_id,
    state, asked_by, asked_at, asked_at + 864000000, 0, version from questions;

insert into dispute_messages (dispute_id, position, author, body, written_at)
select question_id, position, author, body, written_at from question_messages;

drop table question_messages;

drop table questions;
