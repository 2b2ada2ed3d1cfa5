import { expect, test } from 'vitest';
import { regionsFromCsv, regionsToCsv } from './region-files';

const names = (cell: number) => ['a', 'b,1', 'c"x', 'd'][cell] ?? '';

test('regions go out as a table and come back', () => {
  const regions = [
    { name: 'edge, upper', mask: Uint8Array.of(1, 1, 0, 0) },
    { name: 'core', mask: Uint8Array.of(0, 1, 1, 0) },
  ];
  const csv = regionsToCsv(regions, names);
  expect(csv).toBe(
    'cell_id,region\r\na,"edge, upper"\r\n"b,1","edge, upper"\r\n"b,1",core\r\n"c""x",core\r\n',
  );
  expect(regionsFromCsv(csv, 4, names)).toEqual({ regions, unknown: 0 });
});

test('columns in another order, cells of another bundle, no such columns', () => {
  const { regions, unknown } = regionsFromCsv('n,region,cell_id\n1,x,d\n2,x,zz\n3,,a\n', 4, names);
  expect(regions).toEqual([{ name: 'x', mask: Uint8Array.of(0, 0, 0, 1) }]);
  expect(unknown).toBe(1);
  expect(() => regionsFromCsv('id,label\na,b\n', 4, names)).toThrow('cell_id');
});
