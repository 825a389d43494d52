-- A number that only one change of the part has: what is kept in memory of a part is current while its stamp is.
alter table record_versions add column stamp bigint not null default 0
