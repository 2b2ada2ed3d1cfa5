import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Requests } from './requests';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const patience = { tellAfterMs: 1000, repeatAfterMs: 4000, longestMs: 10_000 };

test('a late reply and its arrival are reported', () => {
  const reported: boolean[] = [];
  const requests = new Requests<string>((waiting) => reported.push(waiting), patience);
  requests.add('a', 'context', () => {});
  vi.advanceTimersByTime(900);
  expect(reported).toEqual([]);
  vi.advanceTimersByTime(700);
  expect(reported).toEqual([true]);
  expect(requests.heard('a')).toBe('context');
  expect(reported).toEqual([true, false]);
  requests.dispose();
});

test('a request is repeated with increasing delays until it is closed', () => {
  const sent: number[] = [];
  const requests = new Requests<null>(() => {}, patience);
  requests.add('a', null, (repeat) => sent.push(repeat));
  expect(sent).toEqual([0]);
  vi.advanceTimersByTime(4500);
  expect(sent).toEqual([0, 1]);
  vi.advanceTimersByTime(4500);
  expect(sent).toEqual([0, 1]);
  vi.advanceTimersByTime(4000);
  expect(sent).toEqual([0, 1, 2]);
  requests.close('a');
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual([0, 1, 2]);
  expect(requests.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a request is not repeated while parts of its reply arrive', () => {
  const sent: number[] = [];
  const requests = new Requests<null>(() => {}, patience);
  requests.add('a', null, (repeat) => sent.push(repeat));
  for (let i = 0; i < 6; i++) {
    vi.advanceTimersByTime(2000);
    requests.heard('a');
  }
  expect(sent).toEqual([0]);
  requests.dispose();
});

test('a closed request has no context', () => {
  const requests = new Requests<string>(() => {}, patience);
  requests.add('a', 'context', () => {});
  requests.close('a');
  expect(requests.heard('a')).toBeUndefined();
});
