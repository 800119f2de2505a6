import { defineConfig } from 'vitest/config';
import { closingLine } from './test/reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', closingLine()],
    testTimeout: 20_000,
    // By default one core is left idle; nothing else runs while the tests do.
    maxWorkers: '100%',
    // No test replaces a module or keeps a global: a worker of its own for each file would only cost time.
    isolate: false,
  },
});
