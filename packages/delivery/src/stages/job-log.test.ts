import { expect, test } from 'vitest';
import { findCulprit } from './job-log.ts';

test('the culprit is the innermost frame of the script, not of the library it called', () => {
  const lines = [
    'Traceback (most recent call last):',
    '  File "/opt/ml/code/train.py", line 41, in <module>',
    '    main()',
    '  File "/opt/ml/code/lib/rows.py", line 7, in read',
    '    frame = pd.read_csv(path)',
    '  File "/usr/lib/python3.11/site-packages/pandas/io.py", line 912, in read_csv',
    'FileNotFoundError: no such file',
  ];
  expect(findCulprit(lines)).toEqual({ file: 'lib/rows.py', line: 7 });
});

test('only the last traceback counts, and a log without one names nobody', () => {
  const lines = [
    'Traceback (most recent call last):',
    '  File "/opt/ml/code/a.py", line 1, in <module>',
    'Traceback (most recent call last):',
    '  File "/tmp/jobs/x/ml/code/b.py", line 2, in <module>',
  ];
  expect(findCulprit(lines)).toEqual({ file: 'b.py', line: 2 });
  expect(findCulprit(['it ended'])).toBeUndefined();
});
