import { describe, expect, it } from 'vitest';
import { heldOutRows } from './rows.ts';

const data = 'id,a,b,y\n1,0.1,5,0\n2,0.2,6,1\n3,0.3,7,0\n4,0.4,8,1\n';

describe('the rows that the demo sends', () => {
  it('are found by id, carry the features in the file’s order, and leave out id and target', () => {
    const rows = heldOutRows(data, 'id,y,challenger\n4,1,0.9\n2,1,0.8\n', 'y', 2);
    expect(rows).toEqual([
      { id: '4', features: ['0.4', '8'], truth: 1, evaluated: 0.9 },
      { id: '2', features: ['0.2', '6'], truth: 1, evaluated: 0.8 },
    ]);
  });

  it('are never fewer than the split holds, nor rows that the file does not hold', () => {
    expect(heldOutRows(data, 'id,y,challenger\n1,0,0.1\n', 'y', 3)).toHaveLength(1);
    expect(() => heldOutRows(data, 'id,y,challenger\n9,0,0.1\n', 'y', 1)).toThrow('row 9');
  });
});
