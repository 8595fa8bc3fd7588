// A server without an engine on a data folder that its caller has put on a small disk.
// Usage: small-disk-server.mjs DATA_FOLDER
import process from 'node:process';
import { createTestServer, noEngine } from '@slipway/server/testing';

const server = await createTestServer({ engine: noEngine(), dataFolder: process.argv[2] });
process.stdout.write(`${server.url}\n`);
process.on('SIGTERM', () => server.close().then(() => process.exit(0)));
