import { defineConfig } from 'vitest/config';

// Nothing here asserts a time; the limit only ends what hangs, also on a busy machine.
export default defineConfig({ test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 } });
