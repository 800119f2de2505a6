/** Marks the end of a switch over a union: a member added later fails to compile here, and to run. */
export const assertNever = (value: never): never => {
  throw new Error(`a case nobody wrote: ${JSON.stringify(value)}`);
};
