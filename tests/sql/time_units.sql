-- Words for units of time, of which ten letters count: in intervals, date_trunc() and date_part().
SET timezone = 'UTC';
SELECT u, ('3 ' || u)::interval AS interval, date_trunc(u, timestamp '2024-03-05 01:02:03.456789') AS truncated,
  date_part(u, timestamptz '2024-03-05 01:02:03.456789+00') AS field, date_part(u, interval '2024 years 5 months 01:02:03.456789') AS of_interval
FROM unnest(string_to_array('us usec usecs usecond useconds microsecond microseconds microsecon microseconxx ms msec msecs msecond mseconds '
  'millisecond millisecon millisecondx s sec secs second seconds m min mins minute minutes h hr hrs hour hours d day days mon mons month months '
  'y yr yrs year years dec decs decade decades c cent cents century centuries mil mils millennium millennia millenniumx', ' ')) u WHERE u <> 'cents';
SELECT u, date_part(u, timestamptz '2024-03-05 01:02:03.456789+00') FROM unnest(string_to_array(
  'w week weeks qtr quarter epoch julian jd isoyear dow isodow doy timezone timezone_h timezone_hour timezone_hoxx timezone_m timezone_minute', ' ')) u;
SELECT u, date_trunc(u, timestamp '2024-03-05 01:02:03.456789') FROM unnest(string_to_array('w week weeks qtr quarter', ' ')) u;
SELECT '3 weeks'::interval, '3 W'::interval;
SELECT '3 cents'::interval;
SELECT '3 quarter'::interval;
SELECT '3 timezone'::interval;
SELECT '3 epoch'::interval;
SELECT date_trunc('epoch', timestamp '2024-03-05');
SELECT date_trunc('isodow', timestamptz '2024-03-05');
SELECT date_trunc('jd', interval '3 days');
SELECT date_trunc('timezone', timestamp '2024-03-05');
SELECT date_trunc('timezone_hoxx', interval '3 days');
SELECT date_part('quarters', timestamp '2024-03-05');
SELECT date_part('timezone_minx', timestamp '2024-03-05');
SELECT date_part('dow', interval '3 days');
SELECT extract(microsecon FROM time '01:02:03.5'), extract(msecond FROM time '01:02:03.5');
SELECT i, date_part('ms', interval '1 us' * i) AS ms, date_part('s', interval '1 us' * -i) AS s, date_part('epoch', interval '1 us' * i * 3600 + interval '3 mons') AS epoch
FROM generate_series(1, 59999999, 4371119) i;
SELECT extract(epoch FROM interval '178000000 years'), date_part('epoch', interval '-178000000 years'), date_part('epoch', interval '1 year 1 mon 1 day 0.1 s');
