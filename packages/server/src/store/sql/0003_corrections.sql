-- Corrections of what was written down, and the removal of people from the record.

-- How often the record was corrected or parts of it removed, so that readers know when to read it again.
alter table session add column changes integer not null default 0;

-- `text` is what is to be read, `original` what was recognised: null while nobody corrected it.
alter table segment add column original text;

-- Each row of segment_revision is a correction. It stands until it is undone; the newest that stands is the text.
alter table segment_revision add column undone_at timestamptz;
alter table segment_revision add column undone_by text;

-- What a speaker is called in one session, instead of the name they had in the room; in the same way.
create table speaker_revision (
  session_id text collate "C" not null references session (id) on delete cascade,
  identity text not null,
  revision integer not null,
  name text not null,
  author text not null,
  created_at timestamptz not null default now(),
  undone_at timestamptz,
  undone_by text,
  primary key (session_id, identity, revision)
);

-- The names that stand, for everything that reads segments.
create table speaker_name (
  session_id text collate "C" not null references session (id) on delete cascade,
  identity text not null,
  name text not null,
  primary key (session_id, identity)
);

-- The words of this track were removed, and none that come late are taken any more.
alter table track add column removed_at timestamptz;
create index track_identity on track (identity);
