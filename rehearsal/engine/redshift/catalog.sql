-- What Redshift's catalog has and PostgreSQL's has not: views over pg_catalog, two tables for what PostgreSQL
-- cannot keep, and the checks and actions that statements of Redshift are read to. All stands in pg_catalog, which
-- every search path begins with. Columns: Amazon Redshift Database Developer Guide, "SVV metadata views".

SET allow_system_table_mods = on;

CREATE TABLE pg_catalog.redshift_external_schema (
    oid oid PRIMARY KEY, databasename text NOT NULL, role_arn text NOT NULL, tables text NOT NULL
);
CREATE TABLE pg_catalog.redshift_role (oid oid PRIMARY KEY, owner text NOT NULL);
CREATE TABLE pg_catalog.redshift_policy (
    polname text PRIMARY KEY, polatts text[] NOT NULL, polqual text NOT NULL, modified_by text NOT NULL,
    modified_at timestamp NOT NULL
);
CREATE TABLE pg_catalog.redshift_attachment (
    polname text NOT NULL REFERENCES pg_catalog.redshift_policy, relid oid NOT NULL, kind text NOT NULL,
    grantee text NOT NULL, grantor text NOT NULL, PRIMARY KEY (polname, relid, kind, grantee)
);

-- Users log in, roles do not. Names with a colon are the engine's: logins with temporary passwords.
CREATE VIEW pg_catalog.redshift_identity AS
SELECT oid::int AS id, rolname::text AS name, CASE WHEN rolcanlogin THEN 'user' ELSE 'role' END AS type
FROM pg_roles WHERE rolname NOT LIKE 'pg\_%' AND rolname NOT LIKE 'IAM:%'
UNION ALL SELECT 0, 'public', 'public';

-- A schema of the database's users, and whether its tables are the Glue Data Catalog's.
CREATE VIEW pg_catalog.redshift_schema AS
SELECT n.oid, n.nspname, n.nspowner, n.nspacl, e.oid IS NOT NULL AS external
FROM pg_namespace n LEFT JOIN pg_catalog.redshift_external_schema e USING (oid)
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

-- What PostgreSQL gives everybody on a database, CONNECT, is no right in Redshift.
CREATE VIEW pg_catalog.svv_database_privileges AS
SELECT d.datname::text AS database_name, CASE a.privilege_type WHEN 'TEMPORARY' THEN 'TEMP' ELSE a.privilege_type END
    AS privilege_type, i.id AS identity_id, i.name AS identity_name, i.type AS identity_type,
    a.is_grantable AND i.type = 'user' AS admin_option
FROM pg_database d, aclexplode(d.datacl) a JOIN pg_catalog.redshift_identity i ON i.id = a.grantee::int
WHERE a.grantee <> d.datdba AND a.privilege_type <> 'CONNECT';

CREATE VIEW pg_catalog.svv_schema_privileges AS
SELECT s.nspname::text AS namespace_name, a.privilege_type::text, i.id AS identity_id, i.name AS identity_name,
    i.type AS identity_type, a.is_grantable AND i.type = 'user' AS admin_option, 'SCHEMA'::text AS privilege_scope
FROM pg_catalog.redshift_schema s, aclexplode(s.nspacl) a JOIN pg_catalog.redshift_identity i ON i.id = a.grantee::int
WHERE a.grantee <> s.nspowner;

CREATE VIEW pg_catalog.svv_relation_privileges AS
SELECT s.nspname::text AS namespace_name, c.relname::text AS relation_name, a.privilege_type::text,
    i.id AS identity_id, i.name AS identity_name, i.type AS identity_type,
    a.is_grantable AND i.type = 'user' AS admin_option
FROM pg_class c JOIN pg_catalog.redshift_schema s ON s.oid = c.relnamespace AND NOT s.external,
    aclexplode(c.relacl) a JOIN pg_catalog.redshift_identity i ON i.id = a.grantee::int
WHERE c.relkind IN ('r', 'v', 'm', 'p') AND a.grantee <> c.relowner AND a.privilege_type <> 'MAINTAIN';

CREATE VIEW pg_catalog.svv_column_privileges AS
SELECT s.nspname::text AS namespace_name, c.relname::text AS relation_name, t.attname::text AS column_name,
    a.privilege_type::text, i.id AS identity_id, i.name AS identity_name, i.type AS identity_type,
    a.is_grantable AND i.type = 'user' AS admin_option
FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
    JOIN pg_catalog.redshift_schema s ON s.oid = c.relnamespace AND NOT s.external,
    aclexplode(t.attacl) a JOIN pg_catalog.redshift_identity i ON i.id = a.grantee::int
WHERE t.attnum > 0 AND NOT t.attisdropped AND a.grantee <> c.relowner;

CREATE VIEW pg_catalog.svv_default_privileges AS
SELECT n.nspname::text AS schema_name, 'RELATION'::text AS object_type, d.defaclrole::int AS owner_id,
    o.name AS owner_name, o.type AS owner_type, a.privilege_type::text, i.id AS grantee_id, i.name AS grantee_name,
    i.type AS grantee_type, a.is_grantable AND i.type = 'user' AS admin_option
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    JOIN pg_catalog.redshift_identity o ON o.id = d.defaclrole::int,
    aclexplode(d.defaclacl) a JOIN pg_catalog.redshift_identity i ON i.id = a.grantee::int
WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole AND a.privilege_type <> 'MAINTAIN';

-- Every cluster has the five roles of the system, so that whoever compares roles must know them.
CREATE VIEW pg_catalog.svv_roles AS
SELECT i.id AS role_id, i.name AS role_name, coalesce(r.owner, 'rdsdb') AS role_owner, NULL::text AS external_id
FROM pg_catalog.redshift_identity i LEFT JOIN pg_catalog.redshift_role r ON r.oid::int = i.id WHERE i.type = 'role'
UNION ALL SELECT number::int, name, 'rdsdb', NULL
FROM unnest(ARRAY['sys:operator', 'sys:dba', 'sys:superuser', 'sys:secadmin', 'sys:monitor']) WITH ORDINALITY
    AS system (name, number);

CREATE VIEW pg_catalog.svv_user_grants AS
SELECT u.id AS user_id, u.name AS user_name, r.id AS role_id, r.name AS role_name, m.admin_option
FROM pg_auth_members m JOIN pg_catalog.redshift_identity u ON u.id = m.member::int AND u.type = 'user'
    JOIN pg_catalog.redshift_identity r ON r.id = m.roleid::int AND r.type = 'role';

CREATE VIEW pg_catalog.svv_role_grants AS
SELECT u.id AS role_id, u.name AS role_name, r.id AS granted_role_id, r.name AS granted_role_name
FROM pg_auth_members m JOIN pg_catalog.redshift_identity u ON u.id = m.member::int AND u.type = 'role'
    JOIN pg_catalog.redshift_identity r ON r.id = m.roleid::int AND r.type = 'role';

CREATE VIEW pg_catalog.svv_user_info AS
SELECT i.name AS user_name, i.id AS user_id, r.rolcreatedb AS createdb, r.rolsuper AS superuser,
    r.rolname = 'rdsdb' AS catalog_update,
    CASE WHEN r.rolconnlimit < 0 THEN 'UNLIMITED' ELSE r.rolconnlimit::text END AS connection_limit,
    CASE WHEN r.rolsuper THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END AS syslog_access,
    NULL::timestamp AS last_ddl_timestamp, 0 AS session_timeout, NULL::text AS external_user_id
FROM pg_catalog.redshift_identity i JOIN pg_roles r ON r.oid::int = i.id WHERE i.type = 'user';

CREATE VIEW pg_catalog.svv_external_schemas AS
SELECT n.oid AS esoid, 1::smallint AS eskind, n.nspname AS schemaname, n.nspowner::int AS esowner,
    e.databasename, json_build_object('IAM_ROLE', e.role_arn)::text AS esoptions
FROM pg_catalog.redshift_external_schema e JOIN pg_namespace n USING (oid);

CREATE VIEW pg_catalog.svv_rls_policy AS
SELECT current_database()::text AS poldb, p.polname, NULL::text AS polalias,
    (SELECT json_agg(json_build_object('colname', split_part(a, ':', 1), 'type', split_part(a, ':', 2)))::text
     FROM unnest(p.polatts) a) AS polatts,
    p.polqual, true AS polenabled, p.modified_by AS polmodifiedby, p.modified_at AS polmodifiedtime
FROM pg_catalog.redshift_policy p;

CREATE VIEW pg_catalog.svv_rls_attached_policy AS
SELECT n.nspname::text AS relschema, c.relname::text AS relname, 'table'::text AS relkind, t.polname, t.grantor,
    t.grantee, t.kind AS granteekind, true AS is_pol_on, c.relrowsecurity AS is_rls_on,
    'and'::text AS rls_conjunction_type
FROM pg_catalog.redshift_attachment t JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace;

-- Relations on which row-level security is on or to which a policy is attached.
CREATE VIEW pg_catalog.svv_rls_relation AS
SELECT current_database()::text AS datname, n.nspname::text AS relschema, c.relname::text AS relname,
    'table'::text AS relkind, c.relrowsecurity AS is_rls_on, false AS is_rls_datashare_on,
    'and'::text AS rls_conjunction_type
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity OR EXISTS (SELECT 1 FROM pg_catalog.redshift_attachment t WHERE t.relid = c.oid);

CREATE FUNCTION pg_catalog.redshift_check_users(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name AND rolcanlogin) THEN
            RAISE EXCEPTION 'user "%" does not exist', name USING ERRCODE = 'undefined_object';
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.redshift_check_roles(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name AND NOT rolcanlogin) THEN
            RAISE EXCEPTION 'role "%" does not exist', name USING ERRCODE = 'undefined_object';
        END IF;
    END LOOP;
END $$;

-- The page of DROP ROLE: a role that is granted, or that another one is granted to, goes with FORCE alone.
CREATE FUNCTION pg_catalog.redshift_check_unused(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
               WHERE r.rolname = name AND u.rolcanlogin) THEN
        RAISE EXCEPTION 'cannot drop this role since it has been granted on a user'
            USING ERRCODE = 'dependent_objects_still_exist';
    END IF;
    IF EXISTS (SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
               WHERE name IN (r.rolname, u.rolname)) THEN
        RAISE EXCEPTION 'cannot drop this role since it depends on another role'
            USING ERRCODE = 'dependent_objects_still_exist';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.redshift_check_not_external(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
    SELECT nspname INTO name FROM pg_catalog.redshift_schema s WHERE s.external AND s.nspname = ANY (names) LIMIT 1;
    IF name IS NOT NULL THEN
        RAISE EXCEPTION 'Operation not supported on external tables (schema "%")', name
            USING ERRCODE = 'feature_not_supported';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.redshift_note_role(name text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_catalog.redshift_role SELECT oid, current_user FROM pg_roles WHERE rolname = name
$$;

-- The tables of an external schema are not the database's: they never keep it from being dropped.
CREATE FUNCTION pg_catalog.redshift_forget_external(names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entry record;
BEGIN
    FOR entry IN SELECT s.oid, s.nspname, c.relname FROM pg_catalog.redshift_schema s LEFT JOIN pg_class c
                 ON c.relnamespace = s.oid AND c.relkind = 'r' WHERE s.external AND s.nspname = ANY (names) LOOP
        IF entry.relname IS NOT NULL THEN
            EXECUTE format('DROP TABLE %I.%I', entry.nspname, entry.relname);
        END IF;
        DELETE FROM pg_catalog.redshift_external_schema WHERE oid = entry.oid;
    END LOOP;
END $$;

CREATE FUNCTION pg_catalog.redshift_create_policy(name text, atts text[], qual text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_catalog.redshift_policy VALUES (name, atts, qual, current_user, now()::timestamp)
$$;

CREATE FUNCTION pg_catalog.redshift_drop_policy(name text, present boolean, cascade boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE entry record;
BEGIN
    FOR entry IN SELECT t.*, n.nspname, c.relname FROM pg_catalog.redshift_attachment t
                 LEFT JOIN pg_class c ON c.oid = t.relid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE t.polname = name LOOP
        IF entry.relname IS NULL THEN
            DELETE FROM pg_catalog.redshift_attachment WHERE polname = name AND relid = entry.relid;
        ELSIF cascade THEN
            PERFORM pg_catalog.redshift_detach_policy(name, entry.nspname, entry.relname, entry.kind, entry.grantee);
        ELSE
            RAISE EXCEPTION 'cannot drop RLS policy "%": it is attached to "%"', name, entry.relname
                USING ERRCODE = 'dependent_objects_still_exist';
        END IF;
    END LOOP;
    DELETE FROM pg_catalog.redshift_policy WHERE polname = name;
    IF NOT FOUND AND NOT present THEN
        RAISE EXCEPTION 'RLS policy "%" does not exist', name USING ERRCODE = 'undefined_object';
    END IF;
END $$;

CREATE FUNCTION pg_catalog.redshift_attach_policy(name text, nsp text, rel text, kind text, grantee text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    condition text; command text;
    whom text := CASE kind WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(grantee) END;
BEGIN
    SELECT polqual INTO condition FROM pg_catalog.redshift_policy WHERE polname = name;
    IF condition IS NULL THEN
        RAISE EXCEPTION 'RLS policy "%" does not exist', name USING ERRCODE = 'undefined_object';
    END IF;
    INSERT INTO pg_catalog.redshift_attachment
        VALUES (name, format('%I.%I', nsp, rel)::regclass, kind, grantee, current_user);
    EXECUTE format('CREATE POLICY %I ON %I.%I TO %s USING (true)', md5(name || kind || grantee), nsp, rel, whom);
    -- Redshift applies policies to what is read, changed and deleted, not to what is inserted.
    EXECUTE format('CREATE POLICY %I ON %I.%I AS RESTRICTIVE FOR SELECT TO %s USING (%s)',
        md5(name || kind || grantee) || 's', nsp, rel, whom, condition);
    EXECUTE format('CREATE POLICY %I ON %I.%I AS RESTRICTIVE FOR UPDATE TO %s USING (%s) WITH CHECK (true)',
        md5(name || kind || grantee) || 'u', nsp, rel, whom, condition);
    EXECUTE format('CREATE POLICY %I ON %I.%I AS RESTRICTIVE FOR DELETE TO %s USING (%s)',
        md5(name || kind || grantee) || 'd', nsp, rel, whom, condition);
END $$;

CREATE FUNCTION pg_catalog.redshift_detach_policy(name text, nsp text, rel text, whose text, whom text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE part text;
BEGIN
    DELETE FROM pg_catalog.redshift_attachment t WHERE t.polname = name
        AND t.relid = format('%I.%I', nsp, rel)::regclass AND t.kind = whose AND t.grantee = whom;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'RLS policy "%" is not attached to "%"."%" for "%"', name, nsp, rel, whom
            USING ERRCODE = 'undefined_object';
    END IF;
    FOREACH part IN ARRAY ARRAY['', 's', 'u', 'd'] LOOP
        EXECUTE format('DROP POLICY %I ON %I.%I', md5(name || whose || whom) || part, nsp, rel);
    END LOOP;
END $$;

-- Redshift shows nobody any row of a relation with row-level security and no policy for them, superusers excepted,
-- and lets insertions alone.
CREATE FUNCTION pg_catalog.redshift_secure(nsp text, rel text, wanted boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I.%I %s ROW LEVEL SECURITY, %s FORCE ROW LEVEL SECURITY', nsp, rel,
        CASE WHEN wanted THEN 'ENABLE' ELSE 'DISABLE' END, CASE WHEN wanted THEN '' ELSE 'NO' END);
    EXECUTE format('DROP POLICY IF EXISTS redshift_insert ON %I.%I', nsp, rel);
    IF wanted THEN
        EXECUTE format('CREATE POLICY redshift_insert ON %I.%I FOR INSERT WITH CHECK (true)', nsp, rel);
    END IF;
END $$;

DO $$
DECLARE entry record;
BEGIN
    FOR entry IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
                 AND (relname LIKE 'svv\_%' OR relname LIKE 'redshift\_%') AND relkind IN ('v', 'r') LOOP
        EXECUTE format('GRANT SELECT ON pg_catalog.%I TO PUBLIC', entry.relname);
    END LOOP;
END $$;

-- Amazon Redshift Database Developer Guide, "Schemas": everybody may use and create in the schema PUBLIC.
ALTER SCHEMA public OWNER TO CURRENT_USER;
GRANT USAGE, CREATE ON SCHEMA public TO PUBLIC;

RESET allow_system_table_mods;
