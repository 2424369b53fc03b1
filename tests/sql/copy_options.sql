-- Options of COPY: what goes together, in which order it is refused; its text in other encodings.
create temp table ct (a text, b int);
copy ct to stdout (encoding 'nonsense');
copy ct to stdout (encoding 'utf8', encoding 'latin1');
copy ct to stdout (encoding);
copy ct to stdout (encoding 5);
copy ct to stdout (format csv, format text);
copy ct to stdout (delimiter 'ab');
copy ct to stdout (delimiter '');
copy ct to stdout (delimiter 'a');
copy ct to stdout (delimiter E'\\');
copy ct to stdout (format csv, delimiter '"');
copy ct to stdout (format csv, quote 'ab');
copy ct to stdout (format csv, escape 'ab');
copy ct to stdout (force_quote (a));
copy ct to stdout (format csv, force_quote (c));
copy ct to stdout (format csv, force_quote a);
copy ct to stdout (format csv, force_not_null (a));
copy ct from stdin (format csv, force_quote (a));
copy ct from stdin (force_null (a));
copy ct to stdout (null E'a\nb');
copy ct to stdout (null 'a', delimiter 'a');
copy ct to stdout (format csv, null '"', quote '"');
copy ct to stdout (freeze);
copy ct to stdout (header 5);
copy ct to stdout (header match);
copy ct to stdout (format binary, delimiter ',');
copy ct to stdout (format binary, null ',');
copy ct to stdout (format binary, header);
copy ct to stdout (foo);
copy ct to stdout (format foo);
copy ct to stdout (format csv, format);
copy ct to stdout (header on, header off);
copy ct to stdout csv header quote as '@' force quote a, b;
copy ct to stdout with (header 'MATCH');
copy ct to stdout with (header 'maybe');
copy ct from stdin with (format csv, force_not_null (zz));
copy ct from stdin with (format csv, force_null (zz));
copy ct from stdin with (freeze off, encoding 'sql_ascii');
\.
copy ct to stdout (format binary, force_quote *);
copy ct to stdout (quote '"');
copy ct to stdout (escape '"');
copy ct to stdout (format csv, delimiter ';', quote ';');
copy ct to stdout (delimiter '.');
copy (select 1 as a) to stdout (format csv, force_quote (zz));
copy (select 1 as a) to stdout (format csv, force_quote (a));
copy ct (a) to stdout (format csv, force_quote (b));
copy nosuch to stdout (foo);
copy (select nosuch) to stdout (foo);
copy ct to stdout (header 'TRUE');
copy ct to stdout (null 'x;', delimiter ';');
copy ct to stdout (format csv, escape '', quote '!');
copy ct to stdout (format csv, quote '!');
copy ct to stdout (force_quote (a), force_quote (b));
copy ct from stdin (force_null a);
copy ct from stdin (force_null);
copy ct to stdout (force_quote);
explain (analyze 'OFF', format 'JSONB') select 1;
explain (format) select 1;
explain (costs 'OFF', timing 2) select 1;
-- Send functions speak the client's encoding.
set client_encoding = latin1;
select textsend(chr(233)), namesend(chr(233)::name), json_send(to_json(chr(233))), jsonb_send(to_jsonb(chr(233))), bpcharsend(chr(233));
select varcharsend(chr(233)), array_send(array[chr(233), 'a']), record_send(row(chr(233), 1)), byteasend('\xc3a9');
select textsend(chr(8364));
reset client_encoding;
select textsend(chr(233));
-- The header's names are those of the table, however much memory the plan takes.
create table wide_names (a_name_that_is_rather_long_001 int, a_name_that_is_rather_long_002 int, a_name_that_is_rather_long_003 text,
  a_name_that_is_rather_long_004 int, a_name_that_is_rather_long_005 int, a_name_that_is_rather_long_006 numeric,
  a_name_that_is_rather_long_007 int, a_name_that_is_rather_long_008 int, a_name_that_is_rather_long_009 date,
  a_name_that_is_rather_long_010 int, a_name_that_is_rather_long_011 int, a_name_that_is_rather_long_012 bigint);
insert into wide_names (a_name_that_is_rather_long_001) values (1);
copy wide_names to stdout (header);
copy wide_names to stdout (format csv, header, force_quote (a_name_that_is_rather_long_001));
copy wide_names (a_name_that_is_rather_long_012, a_name_that_is_rather_long_003) to stdout (format csv, header, force_quote *);
