import { expect, test } from 'vitest';
import { regionsFromCsv, regionsToCsv } from './region-files';

const written = async (...given: Parameters<typeof regionsToCsv>) =>
  new Blob(await regionsToCsv(...given)).text();

const names = (cell: number) => ['a', 'b,1', 'c"x', 'd'][cell] ?? '';

test('regions survive export to CSV and import', async () => {
  const regions = [
    { name: 'edge, upper', cells: Uint32Array.of(0, 1) },
    { name: 'core', cells: Uint32Array.of(1, 2) },
  ];
  const csv = await written(regions, names);
  expect(csv).toBe(
    'cell_id,region\r\na,"edge, upper"\r\n"b,1","edge, upper"\r\n"b,1",core\r\n"c""x",core\r\n',
  );
  expect(await regionsFromCsv(csv, 4, names)).toEqual({ regions, unknown: 0 });
});

test('columns may be in any order, and cells of other bundles are counted', async () => {
  const { regions, unknown } = await regionsFromCsv('n,region,cell_id\n1,x,d\n2,x,zz\n3,,a\n', 4, names);
  expect(regions).toEqual([{ name: 'x', cells: Uint32Array.of(3) }]);
  expect(unknown).toBe(1);
});

test('other separators and letter cases are accepted, and invalid tables are rejected', async () => {
  const regions = [{ name: 'x, y', cells: Uint32Array.of(0, 1) }];
  for (const text of [
    'Cell_ID;Region\na;x, y\n"b,1";x, y\n',
    '\ufeffregion\tcell_id\r\nx, y\ta\r\nx, y\tb,1\r\n',
  ])
    expect(await regionsFromCsv(text, 4, names)).toEqual({ regions, unknown: 0 });
  await expect(regionsFromCsv('id;label\na;b\n', 4, names)).rejects.toThrow(
    'needs the columns “cell_id” and “region”, but its header is “id”, “label”.',
  );
  await expect(regionsFromCsv('\n', 4, names)).rejects.toThrow('empty');
});

test('ids and names that look like spreadsheet formulas survive export and import', async () => {
  const ids = ['=1+1', "'=1+1", '-1', '@cell', '\tx'];
  const idOf = (cell: number) => ids[cell] ?? '';
  const regions = [
    { name: '=HYPERLINK("x","y")', cells: Uint32Array.of(0, 2, 3) },
    { name: "'+core", cells: Uint32Array.of(1, 4) },
  ];
  const csv = await written(regions, idOf);
  expect(csv).not.toMatch(/(^|[,"\n])[=+@\t]/);
  expect(await regionsFromCsv(csv, 5, idOf)).toEqual({ regions, unknown: 0 });
  const foreign = "cell_id,region\n=1+1,a\n'x,a\n";
  const found = await regionsFromCsv(foreign, 2, (cell) => ['=1+1', "'x"][cell] ?? '');
  expect(found).toEqual({ regions: [{ name: 'a', cells: Uint32Array.of(0, 1) }], unknown: 0 });
});

test('tables longer than one slice are written and read', async () => {
  const cells = 10_000;
  const regions = [{ name: 'all', cells: Uint32Array.from({ length: cells }, (_, cell) => cell) }];
  const csv = await written(regions, String);
  expect(csv.split('\r\n')).toHaveLength(cells + 2);
  expect(await regionsFromCsv(csv, cells, String)).toEqual({ regions, unknown: 0 });
});

test('a table with one region per cell is rejected', async () => {
  const cells = 30_000;
  const nameOf = (cell: number) => `cell ${cell}`;
  const rows = Array.from({ length: cells }, (_, cell) => `${nameOf(cell)},region ${cell}`);
  const read = regionsFromCsv(`cell_id,region\n${rows.join('\n')}\n`, cells, nameOf);
  await expect(read).rejects.toThrow('“region” has more than 500 different names, such as “region 500”');
});
