import type { IncomingHttpHeaders } from 'node:http';
import { isIPv4 } from 'node:net';
import { UserError } from '@slipway/kit/errors';

/** True for a host name or address that cannot be anything but this machine. `name` has no port and no brackets. */
export function isLoopback(name: string): boolean {
  const host = name.toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true;
  return isIPv4(host) && host.startsWith('127.');
}

/** @throws UserError for an address that others could reach: signatures are not checked yet, so nobody may */
export function checkHost(host: string): void {
  if (isLoopback(host)) return;
  throw new UserError({
    what: `Slipway does not listen on ${host}.`,
    why: 'Anybody who reaches that address could use it: it would need credentials, which are not available yet.',
    next: 'Leave --host out, or use 127.0.0.1, ::1 or localhost.',
    exitCode: 64,
  });
}

/**
 * Why a request must be refused before anything looks at it, or undefined. A web page that is open in a browser on this
 * machine can send requests here: across origins, or under a name of its own that it has pointed at 127.0.0.1. The
 * first shows in `Origin` or `Sec-Fetch-Site`, the second in `Host`, and a page cannot change any of them.
 */
export function refusal(headers: IncomingHttpHeaders): string | undefined {
  const host = headers.host === undefined ? undefined : hostOf(`http://${headers.host}`);
  if (host === undefined || !isLoopback(host)) {
    return 'The Host of this request is not this machine; use http://127.0.0.1 or http://localhost.';
  }
  if (headers.origin !== undefined) {
    const origin = hostOf(headers.origin);
    if (origin === undefined || !isLoopback(origin)) return 'Web pages of other origins may not use this server.';
  } else if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') {
    return 'Web pages of other origins may not use this server.';
  }
  return undefined;
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return undefined;
  }
}
