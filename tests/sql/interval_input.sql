-- Intervals as text are read from right to left: a unit is that of the numbers before it, after a time come days; what counts the same
-- twice is refused, and punctuation only separates.
SELECT i, i::interval FROM unnest(ARRAY[
  '3 @', '@ 3', '3 days ago', '3 @ days', '@ 3 days', '3 days @', 'ago 3 days', '3 days ago 2',
  '3 days ago ago', '1:00 ago', '@@ 3 days', '@ 3 @ days', '1-2 ago', '3', '2 1:00 ago', '1 day ago 1:00',
  '1 day,', '1,', '3 day ago @', 'day 3', '3 day day', '@1', '1@', '1 sec 3 ms',
  '1 week 2 days', '1 month 2 years 3 decades', '- 3 days', '-  3', '+ 1:00', '1-2 3', '1-2 3:00', '1-2 day',
  '1 day -1:00', '1 day - 1:00', '-1-2', '1.5 day 2 h', '1.5 min 3 s', 'P1D', '1y 2mon 3d 4h 5m 6s', '1 us 2 ms',
  '3 days / 2 h', '1 day"', '3 days (2 h)', '-1 1:00', '1 month ago 2 days', 'day 1 month', '3 d:', '1:2:3.4 ago']) i;
SELECT '3 ago'::interval;
SELECT '@ 3 ago'::interval;
SELECT 'ago'::interval;
SELECT '@'::interval;
SELECT '3 days 4 ago'::interval;
SELECT '3 days ago 2 days'::interval;
SELECT ''::interval;
SELECT ' '::interval;
SELECT 'infinity'::interval;
SELECT 'P1D ago'::interval;
SELECT '1 2 ago'::interval;
SELECT '3 .'::interval;
SELECT 'today'::interval;
SELECT '1 , ago'::interval;
SELECT 'day'::interval;
SELECT '3 @ ago'::interval;
SELECT '1.5 ago'::interval;
SELECT '-1 ago'::interval;
SELECT '1 2'::interval;
SELECT '1 2 day'::interval;
SELECT '3 @ 2 day'::interval;
SELECT '1 day 2 days'::interval;
SELECT '1-2 3 mon'::interval;
SELECT '1 sec 1.5 sec'::interval;
SELECT '1.5 sec 3 ms'::interval;
SELECT '1:00 2 h'::interval;
SELECT '1:00 3 ms'::interval;
SELECT '1:00 1 s'::interval;
SELECT '1 min 1:00'::interval;
SELECT '3 foo'::interval;
SELECT 'foo'::interval;
SELECT '3 days foo'::interval;
SELECT '2 1-2'::interval;
SELECT '3 timezone'::interval;
SELECT '3 epoch'::interval;
SELECT '3 dow'::interval;
SELECT '3/4'::interval;
SELECT '1-13'::interval;
SELECT '1 2-3'::interval;
