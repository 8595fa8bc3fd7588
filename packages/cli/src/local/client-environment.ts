/** The account and region of plain clients, and of the demo's environment, so that they see each other's work. */
export const LOCAL_ACCOUNT = '000000000000';
export const LOCAL_REGION = 'us-east-1';

/**
 * The variables that point any AWS client at a server of ours. The access key id names the account; the secret is not a
 * secret, because nothing but loopback can reach the server.
 */
export function clientVariables(url: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: LOCAL_ACCOUNT,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/**
 * The environment of a program that `exec` runs: the user's, without what would lead an AWS client elsewhere (a profile,
 * a session token, an endpoint for one service), and with our variables.
 */
export function clientEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  url: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !MISLEADING.test(name)) environment[name] = value;
  }
  return { ...environment, ...clientVariables(url) };
}

const MISLEADING =
  /^AWS_(ENDPOINT_URL_.*|PROFILE|DEFAULT_PROFILE|SESSION_TOKEN|SECURITY_TOKEN|ROLE_ARN|WEB_IDENTITY_TOKEN_FILE|IGNORE_CONFIGURED_ENDPOINT_URLS|CONTAINER_CREDENTIALS_.*|USE_FIPS_ENDPOINT|USE_DUALSTACK_ENDPOINT)$/;
