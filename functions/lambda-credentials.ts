/**
 * Stands in the bundle for the SDK's own chain of credential providers (`cdk/bundle.ts`, docs/adr/0014), by the name
 * that the clients import. Lambda gives a function its role's credentials in the environment, good for the life of the
 * sandbox.
 */
export const defaultProvider = () => async (): Promise<Credentials> => credentialsIn(process.env);

/** Credentials as the AWS clients take them. */
type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/** Throws, with the name that the SDK's own chain gives its errors, where a key is not set. */
export const credentialsIn = (env: Readonly<Record<string, string | undefined>>): Credentials => {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token } = env;
  if (!id || !key) throw new CredentialsProviderError();
  return { accessKeyId: id, secretAccessKey: key, ...(token && { sessionToken: token }) };
};

class CredentialsProviderError extends Error {
  override readonly name = 'CredentialsProviderError';
  constructor() {
    super('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set; in Lambda they are');
  }
}
