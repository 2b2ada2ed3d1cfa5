import { defineConfig } from 'vitest/config';

// The tests do not measure time; the limit only ends tests that hang, even on a busy machine.
export default defineConfig({ test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 } });
