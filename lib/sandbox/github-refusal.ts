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

/** Private and absent look alike: both are a 404. */
export const notFound = (message = 'Not Found'): GithubRefusal => new GithubRefusal(404, message, 'NOT_FOUND');

/** A deleted issue is 410 for those who can read its repository. */
export const gone = (): GithubRefusal => new GithubRefusal(410, 'This issue was deleted', 'NOT_FOUND');

/** Refused for want of rights, or because the repository or the issue is locked. */
export const forbidden = (message: string): GithubRefusal => new GithubRefusal(403, message, 'FORBIDDEN');

/** 422 with GitHub's list of field errors. */
export const invalid = (resource: string, field: string, code: string, message?: string): GithubRefusal =>
  new GithubRefusal(422, 'Validation Failed', 'UNPROCESSABLE', [
    { resource, code, field, ...(message === undefined ? {} : { message }) },
  ]);
