/** What GitHub answers instead of doing as asked: a REST status with its body, and the `type` GraphQL gives the same thing. */
export class GithubRefusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly errors: readonly Readonly<Record<string, string>>[];

  constructor(status: number, message: string, type: string, errors: readonly Readonly<Record<string, string>>[] = []) {
    super(message);
    this.name = 'GithubRefusal';
    this.status = status;
    this.type = type;
    this.errors = errors;
  }
}

/** What GraphQL says of it: of a list of field errors, only what they say. */
export const graphqlWords = ({ message, errors }: GithubRefusal): string =>
  errors.map((one) => one['message'] ?? one['code']).join(', ') || message;

/** Private and absent look alike: both are a 404. */
export const notFound = (message = 'Not Found'): GithubRefusal => new GithubRefusal(404, message, 'NOT_FOUND');

/** A deleted issue is 410 for those who can read its repository. */
export const gone = (): GithubRefusal => new GithubRefusal(410, 'This issue was deleted', 'NOT_FOUND');

/** What is asked of issues where they are switched off. */
export const issuesOff = (): GithubRefusal => new GithubRefusal(410, 'Issues are disabled for this repo', 'GONE');

/** Refused for want of rights, or because the repository or the issue is locked. */
export const forbidden = (message: string): GithubRefusal => new GithubRefusal(403, message, 'FORBIDDEN');

/** 422 with GitHub's list of field errors. */
export const invalid = (resource: string, field: string, code: string, message?: string): GithubRefusal =>
  new GithubRefusal(422, 'Validation Failed', 'UNPROCESSABLE', [
    { resource, code, field, ...(message === undefined ? {} : { message }) },
  ]);
