/** What `make` gives, made when it is first asked for and the same ever after. A `make` that throws is asked again. */
export const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};
