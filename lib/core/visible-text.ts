/**
 * Untrusted text in double quotes for a message to an operator: whatever is not plain printable ASCII is spelled out,
 * so that a zero-width character or a letter that only looks like another can be seen. At most `max` characters of it.
 */
export const visibleText = (text: string, max = 60): string => {
  const shown = Array.from(text.slice(0, max), (char) => (/[ -~]/.test(char) ? char : spelled(char))).join('');
  return `"${shown}${text.length > max ? '…' : ''}"`;
};

const spelled = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
