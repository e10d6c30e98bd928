-- Keys have one role each and may end. No version has written this table before.
alter table api_key drop column scopes;
alter table api_key add column role text not null check (role in ('viewer', 'operator', 'admin'));
alter table api_key add column expires_at timestamptz;
