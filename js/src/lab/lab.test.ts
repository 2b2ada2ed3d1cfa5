import { Signal } from '@lumino/signaling';
import { expect, test, vi } from 'vitest';
import { candidates, type Exported, folderFrom, folderOf, storedExports, withExport } from './exports';
import { viewOnDisk } from './jupyter-files';
import { onGone } from './restarts';
import { Windows } from './windows';

const entry: Exported = {
  title: 'a',
  path: '/data/a',
  folder: 'a',
  kernel: 'k',
  bytes: 5,
  at: 1,
  checked: '',
};

test('a relative path in the kernel is converted to a path on the Jupyter server', () => {
  expect(folderOf('work/n.ipynb', 'out')).toBe('work/out');
  expect(folderOf('n.ipynb', './deep/out/')).toBe('deep/out');
  expect(folderOf('a/b/n.ipynb', '../out')).toBe('a/out');
  expect(folderOf('n.ipynb', '../out')).toBeNull();
  for (const elsewhere of ['/data/out', '~/out', 'C:\\out', ''])
    expect(folderOf('n.ipynb', elsewhere)).toBeNull();
});

test('an export to the same path replaces the earlier one', () => {
  const again = { ...entry, at: 2 };
  expect(withExport([entry, { ...entry, path: '/data/b' }], again)).toEqual([
    again,
    { ...entry, path: '/data/b' },
  ]);
});

test('invalid stored exports are skipped', () => {
  expect(storedExports(undefined)).toEqual([]);
  expect(storedExports([entry, null, 3, { ...entry, at: 'x' }, { path: 'y' }])).toEqual([entry]);
});

test('a bundle on disk answers like a kernel, but only for files inside it', async () => {
  const files: Record<string, Uint8Array> = { 'b/manifest.json': new Uint8Array(5_000_000).fill(7) };
  const requested: string[] = [];
  const read = async (path: string) => {
    requested.push(path);
    const bytes = files[path];
    if (!bytes) throw new Error('404');
    return bytes;
  };
  const model = viewOnDisk('b', 'B', read, async () => new Uint8Array([1, 2]));
  const received: { message: Record<string, unknown>; size: number }[] = [];
  model.on('msg:custom', ((message: Record<string, unknown>, buffers: Uint8Array[]) =>
    received.push({ message, size: buffers[0]?.length ?? 0 })) as never);
  /** Waits until `count` messages have arrived, and removes them. */
  const until = async (count: number) => {
    await vi.waitFor(() => expect(received).toHaveLength(count), { timeout: 30_000 });
    return received.splice(0);
  };
  model.send({ type: 'read', id: 'r1', view: 'v', path: 'manifest.json' });
  const parts = await until(3);
  expect(parts.map(({ message }) => message.index)).toEqual([0, 1, 2]);
  expect(parts.reduce((sum, { size }) => sum + size, 0)).toBe(5_000_000);
  expect(parts.every(({ message }) => message.count === 3 && message.total === 5_000_000)).toBe(true);
  model.send({ type: 'read', id: 'r2', view: 'v', path: '../secret' });
  model.send({ type: 'read', id: 'r3', view: 'v', path: 'gone.bin' });
  expect((await until(2)).map(({ message }) => message.type)).toEqual(['refused', 'refused']);
  expect(requested).toEqual(['b/manifest.json', 'b/gone.bin']);
  model.send({ type: 'read', id: 'p', view: 'v', path: 'index.html' });
  expect((await until(1))[0]?.size).toBe(2);
});

test('a bundle is searched for in the root of the server, then next to the notebook', () => {
  const written = { path: 'out', places: ['/home/me/data/a/out', '~/data/a/out'], created: '' };
  expect(candidates('/home/me/data', written, 'b/n.ipynb')).toEqual(['a/out', 'b/out']);
  expect(candidates('~/data/', written, 'a/n.ipynb')).toEqual(['a/out']);
  expect(candidates('/elsewhere', { ...written, path: '/home/me/data/a/out' }, 'n.ipynb')).toEqual([]);
});

test('the folder of a bundle is derived from the paths that users enter', () => {
  expect(folderFrom('a/b/manifest.json', '/srv')).toBe('a/b');
  expect(folderFrom('manifest.json', '/srv')).toBe('');
  expect(folderFrom('/srv/a/b/', '/srv/')).toBe('a/b');
  expect(folderFrom('/a/b', '/srv')).toBe('a/b');
  expect(folderFrom('', '/srv')).toBe('');
  expect(folderFrom('my-manifest.json', '/srv')).toBe('my-manifest.json');
});

test('a window detects that another one shows the same widget', async () => {
  const [first, second] = [new Windows(), new Windows()];
  const release = second.hold('w');
  const releaseAgain = second.hold('w');
  expect(await first.others('w')).toBe(true);
  expect(await second.others('w')).toBe(false);
  release();
  expect(await first.others('w')).toBe(true);
  releaseAgain();
  expect(await first.others('w')).toBe(false);
  first.dispose();
  second.dispose();
});

test('a restarted or stopped kernel is reported as gone, a starting one is not', () => {
  const kernel = {} as Record<string, Signal<object, unknown>>;
  for (const name of ['statusChanged', 'iopubMessage', 'disposed']) kernel[name] = new Signal({});
  let gone = 0;
  const emitStatus = (session: string, execution_state: string, msg_type = 'status') =>
    kernel.iopubMessage?.emit({ header: { session, msg_type }, content: { execution_state } });
  const stopListening = onGone(kernel as never, () => gone++);
  emitStatus('first', 'starting');
  emitStatus('first', 'busy');
  emitStatus('first', 'starting');
  kernel.statusChanged?.emit('idle');
  expect(gone).toBe(0);
  emitStatus('second', 'starting');
  expect(gone).toBe(1);
  emitStatus('second', '', 'shutdown_reply');
  kernel.statusChanged?.emit('dead');
  expect(gone).toBe(3);
  stopListening();
  emitStatus('third', 'starting');
  expect(gone).toBe(3);
});
