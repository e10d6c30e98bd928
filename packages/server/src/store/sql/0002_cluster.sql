-- Handover between living workers, rooms that keep killing their workers, and slots held for scheduled rooms.

-- The worker that is to follow the living holder; a slot of its own is kept for it until it does.
alter table lease add column successor text collate "C";
-- How often in a row the room lost its worker while it was served, and when it last did.
alter table lease add column strikes integer not null default 0;
alter table lease add column struck_at timestamptz;
create index lease_successor on lease (successor) where successor is not null;
create index lease_struck on lease (room) where strikes > 0;

-- Slots in use: rooms a worker holds, and rooms it is about to take over.
create function lease_load(p_worker text, p_except text) returns bigint language sql volatile as $$
  select count(*) from lease l
  where (l.holder = p_worker or l.successor = p_worker) and l.room <> p_except and l.expires_at > clock_timestamp()
$$;

create or replace function lease_claim(
  p_room text, p_holder text, p_session text, p_ttl_ms double precision, p_slots integer
) returns table (granted_epoch bigint) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_holder, 0));
  return query
    insert into lease as l (room, epoch, renew_seq, holder, session_id, expires_at)
    select p_room, 1, 0, p_holder, p_session, clock_timestamp() + p_ttl_ms * interval '1 millisecond'
    where p_slots > lease_load(p_holder, p_room)
    on conflict (room) do update
      set epoch = l.epoch + 1, renew_seq = 0, holder = excluded.holder, session_id = excluded.session_id,
          expires_at = clock_timestamp() + p_ttl_ms * interval '1 millisecond', successor = null
      where l.holder is null or l.expires_at <= clock_timestamp()
    returning l.epoch;
end $$;

drop function lease_takeover(text, text, bigint, bigint, double precision, integer);
create function lease_takeover(
  p_room text, p_holder text, p_epoch bigint, p_renew_seq bigint, p_ttl_ms double precision, p_slots integer,
  p_struck boolean
) returns table (granted_epoch bigint, granted_session text) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_holder, 0));
  return query
    update lease l
    set epoch = l.epoch + 1, renew_seq = 0, holder = p_holder, successor = null,
        expires_at = clock_timestamp() + p_ttl_ms * interval '1 millisecond',
        strikes = l.strikes + case when p_struck then 1 else 0 end,
        struck_at = case when p_struck then clock_timestamp() else l.struck_at end
    where l.room = p_room and l.holder is not null
      and (l.expires_at <= clock_timestamp() or (l.epoch = p_epoch and l.renew_seq = p_renew_seq))
      and p_slots > lease_load(p_holder, p_room)
    returning l.epoch, l.session_id;
end $$;

-- The lock is on the successor, whose slots are counted; the epoch says that the holder is still the one we know.
create function lease_prepare(p_room text, p_epoch bigint, p_successor text, p_slots integer)
returns table (prepared_room text) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_successor, 0));
  return query
    update lease l set successor = p_successor
    where l.room = p_room and l.epoch = p_epoch and l.holder is not null and l.holder <> p_successor
      and p_slots > lease_load(p_successor, p_room)
    returning l.room;
end $$;

create table reservation (
  room text collate "C" primary key,
  starts_at timestamptz not null,
  -- Until then the slot is kept when the room has not begun.
  ends_at timestamptz not null check (ends_at > starts_at),
  made_at timestamptz not null default now()
);
