-- Run once by the image of Postgres, as its superuser: the owner's role and its database. The owner
-- migrates; it needs CREATEROLE, because `gateway migrate` makes the role that serves.
\set owner_password `cat /run/secrets/owner_password`
CREATE ROLE gateway_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE DATABASE gateway OWNER gateway_owner;
