-- Secrets of webhooks are not in the database: each follows from a key of the server's home and from `key_id`. `secret_hash` tells whether
-- it is still that key. Of several the newest signs first; an older one signs along until `valid_until`.
create table webhook_keys (
    webhook_id text not null,
    key_id text not null,
    secret_hash text not null,
    created_at bigint not null,
    valid_until bigint,
    constraint webhook_keys_pk primary key (webhook_id, key_id),
    constraint webhook_keys_webhook foreign key (webhook_id) references webhooks (webhook_id)
);

-- Deliveries are signed in another form from here on, so that each receiver needs a new secret.
update webhooks set state = 'disabled', last_error = 'signatures have another form now; give it a new secret, then switch it on'
where state = 'active';

update outbox set state = 'dropped', last_error = 'signatures have another form now' where channel = 'webhook' and state = 'waiting';

drop table webhook_secrets;
