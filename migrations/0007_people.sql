-- People's work: disputes, adjustments, delegations, notices, mails and webhooks, acknowledgements, reviewed anomalies.

-- How people work together. A proposal by one person is in force once another one has approved it; the newest approved one counts.
create table work_policies (
    version bigint not null,
    body text not null,
    state text not null,
    proposed_by text not null,
    -- Whom the proposer was as a payee at that time.
    proposed_payee_id text,
    proposed_at bigint not null,
    decided_by text,
    decided_at bigint,
    constraint work_policies_pk primary key (version),
    constraint work_policies_state check (state in ('proposed', 'approved', 'rejected'))
);

-- What somebody holds to be wrong: a line of a statement, the whole of it, or a credit that is missing. `paid` is what it says.
create table disputes (
    dispute_id text not null,
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
    version bigint not null,
    constraint disputes_pk primary key (dispute_id),
    constraint disputes_about check (about in ('line', 'statement', 'credit')),
    constraint disputes_state check (state in ('open', 'assigned', 'resolved', 'closed', 'withdrawn')),
    constraint disputes_outcome check (outcome in ('accepted', 'partly', 'rejected')),
    constraint disputes_line check ((about = 'line') = (line is not null)),
    constraint disputes_resolved check (state <> 'resolved' or outcome is not null)
);
create index disputes_of_payee on disputes (payee_id);
create index disputes_of_change on disputes (change_id);

create table dispute_messages (
    dispute_id text not null,
    position bigint not null,
    author text not null,
    body text not null,
    written_at bigint not null,
    constraint dispute_messages_pk primary key (dispute_id, position),
    constraint dispute_messages_dispute foreign key (dispute_id) references disputes (dispute_id)
);

create table dispute_attachments (
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
    constraint dispute_attachments_dispute foreign key (dispute_id) references disputes (dispute_id)
);
create index dispute_attachments_of_dispute on dispute_attachments (dispute_id);

-- The change by which an adjustment is to come into the record.
create table adjustment_drafts (
    adjustment_id text not null,
    change_id text not null,
    payee_id text not null,
    period_id text not null,
    amount bigint not null,
    reason text not null,
    note text,
    dispute_id text,
    author text not null,
    created_at bigint not null,
    constraint adjustment_drafts_pk primary key (adjustment_id),
    constraint adjustment_drafts_change unique (change_id)
);
create index adjustment_drafts_of_payee on adjustment_drafts (payee_id);

-- Days are half-open: the last one on which it counts is the day before `until_on`.
create table delegations (
    delegation_id text not null,
    from_user text not null,
    to_user text not null,
    from_on bigint not null,
    until_on bigint not null,
    reason text not null,
    created_by text not null,
    created_at bigint not null,
    revoked_at bigint,
    revoked_by text,
    constraint delegations_pk primary key (delegation_id),
    constraint delegations_span check (from_on < until_on),
    constraint delegations_two check (from_user <> to_user)
);
create index delegations_of_receiver on delegations (to_user);

-- What a person is told. No pay stands in one. A second one of a user with the same `once_key` is not made.
create table notices (
    notice_id text not null,
    user_id text not null,
    kind text not null,
    object text not null,
    body text not null,
    link text not null,
    once_key text,
    created_at bigint not null,
    read_at bigint,
    constraint notices_pk primary key (notice_id),
    constraint notices_once unique (user_id, once_key),
    constraint notices_user foreign key (user_id) references users (user_id)
);
create index notices_of_user on notices (user_id, notice_id);

-- Where a user gets mail; without a row it is the address of her payee. `opted_out` says that she wants none.
create table mail_preferences (
    user_id text not null,
    address text,
    opted_out bigint not null,
    version bigint not null,
    constraint mail_preferences_pk primary key (user_id),
    constraint mail_preferences_user foreign key (user_id) references users (user_id),
    constraint mail_preferences_flag check (opted_out in (0, 1))
);

create table webhooks (
    webhook_id text not null,
    url text not null,
    -- Names parted by commas; empty for all.
    events text not null,
    state text not null,
    -- In a row.
    failures bigint not null,
    last_error text,
    created_by text not null,
    created_at bigint not null,
    version bigint not null,
    constraint webhooks_pk primary key (webhook_id),
    constraint webhooks_state check (state in ('active', 'disabled', 'removed'))
);

-- A signature needs the secret itself, so it is no hash. It is shown once, and read by what signs alone.
create table webhook_secrets (
    webhook_id text not null,
    secret text not null,
    constraint webhook_secrets_pk primary key (webhook_id),
    constraint webhook_secrets_webhook foreign key (webhook_id) references webhooks (webhook_id)
);

-- What leaves the house, written in the transaction of what it tells of and sent by a job. A mail names a user, whose address is looked
-- up when it is sent; a webhook's `body` is sent as it is.
create table outbox (
    outbox_id text not null,
    channel text not null,
    user_id text,
    webhook_id text,
    kind text not null,
    body text not null,
    state text not null,
    attempts bigint not null,
    next_at bigint not null,
    created_at bigint not null,
    ended_at bigint,
    last_error text,
    constraint outbox_pk primary key (outbox_id),
    constraint outbox_channel check (channel in ('mail', 'webhook')),
    constraint outbox_state check (state in ('waiting', 'sent', 'failed', 'dropped')),
    constraint outbox_to check ((channel = 'mail') = (user_id is not null) and (channel = 'webhook') = (webhook_id is not null))
);
create index outbox_due on outbox (state, next_at);
create index outbox_of_webhook on outbox (webhook_id, outbox_id);

-- Each attempt to send something, with what the other side answered.
create table outbox_attempts (
    outbox_id text not null,
    attempt bigint not null,
    attempted_at bigint not null,
    status bigint,
    error text,
    constraint outbox_attempts_pk primary key (outbox_id, attempt),
    constraint outbox_attempts_outbox foreign key (outbox_id) references outbox (outbox_id)
);

-- Each content with which a statement was published; the newest is the one to acknowledge.
create table published_statements (
    payee_id text not null,
    period_id text not null,
    sequence bigint not null,
    content_hash text not null,
    run_id text not null,
    published_at bigint not null,
    constraint published_statements_pk primary key (payee_id, period_id, sequence)
);
create index published_statements_of_period on published_statements (period_id);

create table acknowledgements (
    payee_id text not null,
    period_id text not null,
    content_hash text not null,
    user_id text not null,
    acknowledged_at bigint not null,
    constraint acknowledgements_pk primary key (payee_id, period_id, content_hash)
);
create index acknowledgements_of_period on acknowledgements (period_id);

-- That somebody looked at what is unusual in a statement. `fact` is a hash of what was unusual: other figures are looked at again.
create table anomaly_reviews (
    review_id text not null,
    period_id text not null,
    payee_id text not null,
    kind text not null,
    fact text not null,
    comment text not null,
    reviewed_by text not null,
    reviewed_at bigint not null,
    constraint anomaly_reviews_pk primary key (review_id)
);
create index anomaly_reviews_of_period on anomaly_reviews (period_id);

-- only sqlite
create trigger anomaly_reviews_no_update before update on anomaly_reviews begin
    select raise(abort, 'rows of `anomaly_reviews` are only ever added');
end;
create trigger anomaly_reviews_no_delete before delete on anomaly_reviews begin
    select raise(abort, 'rows of `anomaly_reviews` are only ever added');
end;
create trigger acknowledgements_no_update before update on acknowledgements begin
    select raise(abort, 'rows of `acknowledgements` are only ever added');
end;
create trigger acknowledgements_no_delete before delete on acknowledgements begin
    select raise(abort, 'rows of `acknowledgements` are only ever added');
end;

-- only postgres
create trigger anomaly_reviews_keep before update or delete on anomaly_reviews for each row execute function refuse_change();
create trigger acknowledgements_keep before update or delete on acknowledgements for each row execute function refuse_change();
