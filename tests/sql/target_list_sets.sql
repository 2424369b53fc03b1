-- Set-returning functions in a target list: values of a batch outlive the calls and the input rows that they come from.
create table pst (id int, t text, arr text[]);
insert into pst select i, repeat(chr(97 + i % 26), 20 + i % 300), array[repeat(chr(65 + i % 26), 30 + i % 7), 'short', null, md5(i::text)] from generate_series(1, 300) i;
select md5(string_agg(t || g, '' order by id, g)) from (select id, t, generate_series(1, 2) g from pst) s;
select md5(string_agg(u, '' order by id, o)) from (select id, unnest(arr) u, generate_series(1,4) o from pst) s;
select md5(string_agg(coalesce(u,'-') || t || x, '' order by id, o)) from (select id, t, t || id::text as x, unnest(arr) u, generate_series(1,4) o from pst) s;
select md5(string_agg(u::text, '' order by id)) from (select id, regexp_matches(t || id, '([a-z]+)([0-9]+)') u from pst) s;
select md5(string_agg(u::text, '' order by id, u)) from (select id, regexp_split_to_table(t || ' ' || id || ' and a long enough word to be by reference', ' ') u from pst) s;
select md5(string_agg(k, '' order by id, k::text)) from (select id, jsonb_object_keys(jsonb_build_object('a long key for the row number ' || id, t)) k from pst) s;
select md5(string_agg(k::text, '' order by id, k::text)) from (select id, json_array_elements(json_build_array(t, id)) k from pst) s;
select md5(string_agg(k::text, '' order by id, k)) from (select id, generate_series(1.5::numeric, 3, 1 / 3.0) k from pst) s;
select md5(string_agg(u || pst.t, '' order by id, o)) from pst, unnest(pst.arr) with ordinality as x(u, o);
select md5(string_agg(u || pst.t || v, '' order by id, o)) from pst, rows from (unnest(pst.arr), regexp_split_to_table(t || ' ' || id || ' and a long enough word to be by reference', ' ')) with ordinality as x(u, v, o);
select md5(string_agg(u, '' order by id)) from (select id, array_to_string(array(select unnest(arr) || t), ',', 'n') u from pst) s;
select count(*), md5(string_agg(x, '')) from (select distinct unnest(arr) x from pst order by 1) s;
select md5(string_agg(x, '' order by x)) from (select unnest(array_agg(t)) x from pst group by id % 100) s;
select unnest(array['a long enough value, number ' || i, 'another one, number ' || i]), 'beside it, also long enough ' || i from generate_series(1, 3) i;
