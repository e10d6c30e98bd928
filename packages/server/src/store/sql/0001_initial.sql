-- The first shape of the store. The same text runs on the embedded database and on PostgreSQL 15 or newer.
-- Positions in audio are samples at 16 kHz on a track's own clock.

create extension if not exists btree_gist;
create extension if not exists pg_trgm;

create table session (
  id text collate "C" primary key,
  room text collate "C" not null,
  room_sid text collate "C" not null,
  language text not null,
  provider text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  unique (room, room_sid)
);
create index session_newest on session (started_at desc, id desc);
create index session_room on session (room, started_at desc, id desc);
create index session_open on session (started_at) where ended_at is null;

-- One row per room that was ever given out. A free room keeps its row, so that the epoch only grows.
create table lease (
  room text collate "C" primary key,
  epoch bigint not null,
  renew_seq bigint not null,
  holder text collate "C",
  session_id text collate "C",
  expires_at timestamptz not null
);
create index lease_holder on lease (holder) where holder is not null;

-- Grants are functions because counting a worker's leases must follow the lock on that worker: inside a volatile
-- function every statement sees what was committed before it, while a single statement would count with the view it
-- had before it waited. clock_timestamp() for the same reason: now() stands still while a statement waits.
create function lease_claim(p_room text, p_holder text, p_session text, p_ttl_ms double precision, p_slots integer)
returns table (granted_epoch bigint) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_holder, 0));
  return query
    insert into lease as l (room, epoch, renew_seq, holder, session_id, expires_at)
    select p_room, 1, 0, p_holder, p_session, clock_timestamp() + p_ttl_ms * interval '1 millisecond'
    where p_slots > (
      select count(*) from lease h
      where h.holder = p_holder and h.room <> p_room and h.expires_at > clock_timestamp()
    )
    on conflict (room) do update
      set epoch = l.epoch + 1, renew_seq = 0, holder = excluded.holder, session_id = excluded.session_id,
          expires_at = clock_timestamp() + p_ttl_ms * interval '1 millisecond'
      where l.holder is null or l.expires_at <= clock_timestamp()
    returning l.epoch;
end $$;

create function lease_takeover(
  p_room text, p_holder text, p_epoch bigint, p_renew_seq bigint, p_ttl_ms double precision, p_slots integer
) returns table (granted_epoch bigint, granted_session text) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_holder, 0));
  return query
    update lease l
    set epoch = l.epoch + 1, renew_seq = 0, holder = p_holder,
        expires_at = clock_timestamp() + p_ttl_ms * interval '1 millisecond'
    where l.room = p_room and l.holder is not null
      and (l.expires_at <= clock_timestamp() or (l.epoch = p_epoch and l.renew_seq = p_renew_seq))
      and p_slots > (
        select count(*) from lease h
        where h.holder = p_holder and h.room <> p_room and h.expires_at > clock_timestamp()
      )
    returning l.epoch, l.session_id;
end $$;

create table demand (
  room text collate "C" primary key,
  wanted boolean not null,
  source text not null,
  settings jsonb not null,
  priority double precision not null,
  room_sid text collate "C",
  requested_at timestamptz not null
);

create table track (
  id text collate "C" primary key,
  session_id text collate "C" not null references session (id) on delete cascade,
  track_sid text collate "C" not null,
  identity text not null,
  name text not null,
  anchor_at timestamptz not null,
  end_sample bigint not null default 0,
  unique (session_id, track_sid)
);

create table segment (
  id text collate "C" primary key,
  session_id text collate "C" not null references session (id) on delete cascade,
  track_id text collate "C" not null references track (id) on delete cascade,
  start_sample bigint not null,
  end_sample bigint not null check (end_sample >= start_sample),
  -- Empty for a final without duration, which overlaps nothing and is still kept.
  span int8range generated always as (int8range(start_sample, end_sample)) stored,
  epoch bigint not null,
  revision integer not null,
  started_at timestamptz not null,
  identity text not null,
  speaker text not null,
  language text not null,
  text text not null,
  confidence double precision,
  words jsonb,
  stored_at timestamptz not null default now(),
  -- A tsvector holds at most 1 MB, and an utterance must never be refused for its length.
  search tsvector generated always as (to_tsvector('simple'::regconfig, left(text, 100000))) stored,
  exclude using gist (track_id with =, span with &&)
);
create index segment_reading on segment (session_id, started_at, id);
create index segment_newest on segment (started_at desc, id desc);
create index segment_search on segment using gin (search);
create index segment_trigram on segment using gin (text gin_trgm_ops);

-- Corrections made after the final; the row in segment stays what was said first.
create table segment_revision (
  segment_id text collate "C" not null references segment (id) on delete cascade,
  revision integer not null,
  text text not null,
  author text not null,
  created_at timestamptz not null default now(),
  primary key (segment_id, revision)
);

create table translation (
  segment_id text collate "C" not null references segment (id) on delete cascade,
  language text not null,
  text text not null,
  provider text not null,
  created_at timestamptz not null default now(),
  primary key (segment_id, language)
);

create table span (
  track_id text collate "C" not null references track (id) on delete cascade,
  span int8range not null check (not isempty(span)),
  kind text not null,
  reason text,
  epoch bigint not null,
  exclude using gist (track_id with =, span with &&)
);

create table webhook_inbox (
  id text collate "C" primary key,
  kind text not null,
  room text not null,
  created_at timestamptz not null,
  received_at timestamptz not null default now()
);
create index webhook_inbox_age on webhook_inbox (received_at);

create table outbox (
  id text collate "C" primary key,
  topic text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  next_attempt_at timestamptz not null default now(),
  attempts integer not null default 0,
  delivered_at timestamptz
);
create index outbox_due on outbox (next_attempt_at) where delivered_at is null;

create table api_key (
  id text collate "C" primary key,
  name text not null,
  hash text not null unique,
  scopes jsonb not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  target text not null
);
create index audit_target on audit (target, at desc);
