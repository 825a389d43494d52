-- Plans as documents that payees read and accept.

-- `text` is exactly what was sent and `digest` its SHA-256; `content` is the same as JSON, for printing. `version_on` is the first
-- day of the plan's version, null for one that holds from the beginning. `hold_id` is the hold on pay that waits for acceptance.
create table plan_documents (
    document_id text not null,
    plan_id text not null,
    payee_id text not null,
    version_on bigint,
    digest text not null,
    text text not null,
    content text not null,
    state text not null,
    hold_id text,
    sent_by text not null,
    sent_at bigint not null,
    answered_by text,
    answered_at bigint,
    comment text,
    constraint plan_documents_pk primary key (document_id),
    constraint plan_documents_state check (state in ('sent', 'accepted', 'returned', 'replaced')),
    constraint plan_documents_answered check (state not in ('accepted', 'returned') or (answered_by is not null and answered_at is not null)),
    constraint plan_documents_comment check (state <> 'returned' or comment is not null)
);
create index plan_documents_of_payee on plan_documents (payee_id, plan_id);
create unique index plan_documents_open on plan_documents (payee_id, plan_id, coalesce(version_on, -1000000)) where state = 'sent';

-- only sqlite
-- What was sent and answered is kept as it was.
create trigger plan_documents_keep_text before update on plan_documents
when new.text <> old.text or new.digest <> old.digest or new.content <> old.content or new.payee_id <> old.payee_id
    or new.plan_id <> old.plan_id or old.state <> 'sent' begin
    select raise(abort, 'a plan document is never changed, only answered once');
end;
create trigger plan_documents_no_delete before delete on plan_documents begin
    select raise(abort, 'plan documents are kept');
end;

-- only postgres
create function keep_plan_documents() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'plan documents are kept';
    end if;
    if new.text <> old.text or new.digest <> old.digest or new.content <> old.content or new.payee_id <> old.payee_id
        or new.plan_id <> old.plan_id or old.state <> 'sent' then
        raise exception 'a plan document is never changed, only answered once';
    end if;
    return new;
end
$$;
create trigger plan_documents_keep before update or delete on plan_documents for each row execute function keep_plan_documents();
