import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a test run with the line `N passed, N failed`, alone and last. Failed are tests, files that failed without one
 * (an import that is missing, a hook that threw) and errors nobody caught; and at least one wherever the exit code
 * is not 0, so that whoever reads only this line is never told that all is well when it is not.
 */
export const closingLine = (): Reporter => {
  let passed = 0;
  let failed = 0;
  return {
    onInit: () => {
      // The exit code is known, and everything else is printed, only when the process goes.
      process.once('exit', (code) => {
        const shown = code === 0 || failed > 0 ? failed : 1;
        process.stdout.write(`\n${passed} passed, ${shown} failed\n`);
      });
    },
    onTestRunEnd: (modules, unhandledErrors) => {
      passed = sum(modules, (module) => count(module, 'passed'));
      failed = sum(modules, failuresOf) + unhandledErrors.length;
    },
  };
};

const failuresOf = (module: TestModule): number => {
  const tests = count(module, 'failed');
  return tests === 0 && !module.ok() ? 1 : tests;
};

const count = (module: TestModule, state: 'passed' | 'failed'): number => [...module.children.allTests(state)].length;

const sum = (modules: readonly TestModule[], of: (module: TestModule) => number): number =>
  modules.reduce((total, module) => total + of(module), 0);
