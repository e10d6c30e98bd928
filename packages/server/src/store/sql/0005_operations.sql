-- What operators look at: how rooms went from worker to worker, and how quick captions and agents were.

-- Written with the lease itself, in the statement that changes it, whoever does it.
create table move (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  -- takeover, handover, handover called off, lost, reassigned
  kind text not null,
  room text collate "C" not null,
  epoch bigint not null,
  session_id text collate "C",
  from_worker text collate "C",
  to_worker text collate "C"
);
create index move_age on move (at);
create index audit_drain on audit (at) where action = 'drain';

-- Null for what is no move: a room that gets its first agent, or does not need one any more.
create function move_kind(o lease, n lease) returns text language sql volatile as $$
  select case
    when n.holder is null then case when n.strikes > o.strikes then 'lost' end
    when o.holder is null then case when o.strikes > 0 then 'reassigned' end
    when n.epoch = o.epoch then 'handover called off'
    when current_setting('dialoglens.step', true) = 'takeover' then 'takeover'
    when n.holder = o.successor then 'handover'
    when n.holder <> o.holder then 'takeover'
  end
$$;

-- Keeps a week, and no more than the newest 50,000. Rows that somebody else is deleting are left to them: nobody waits for
-- anybody here.
create function move_noted() returns trigger language plpgsql as $$
declare
  what text := move_kind(old, new);
  noted bigint;
begin
  if what is null then return null; end if;
  insert into move (kind, room, epoch, session_id, from_worker, to_worker) values (
    what, new.room, new.epoch, coalesce(new.session_id, old.session_id), old.holder,
    case when what = 'handover called off' then old.successor else new.holder end
  ) returning id into noted;
  delete from move where id in (
    select id from move where id <= noted - 50000 or at < clock_timestamp() - interval '7 days'
    order by id limit 100 for update skip locked
  );
  return null;
end $$;

-- A renewal changes neither holder nor successor: it does not come here.
create trigger lease_moves after update of holder, successor on lease for each row
  when (old.epoch <> new.epoch or old.holder is distinct from new.holder
    or (old.successor is not null and new.successor is null))
  execute function move_noted();

-- As before, and says what it does: a successor that takes over from a dead holder was not handed the room.
create or replace function lease_takeover(
  p_room text, p_holder text, p_epoch bigint, p_renew_seq bigint, p_ttl_ms double precision, p_slots integer,
  p_struck boolean
) returns table (granted_epoch bigint, granted_session text) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('dialoglens:holder:' || p_holder, 0));
  perform set_config('dialoglens.step', 'takeover', true);
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

-- Counts by minute, of all processes together. `bucket` is a step of a logarithmic scale; 0 for what is only counted.
create table measure (
  minute timestamptz not null,
  name text collate "C" not null,
  label text collate "C" not null,
  bucket integer not null,
  count bigint not null,
  primary key (minute, name, label, bucket)
);
