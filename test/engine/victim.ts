// A server that a test kills: starts one job on the data folder it is given, says so, and waits to die.
import { openBench } from './bench.ts';

const [data = '', script = ''] = process.argv.slice(2);
const bench = await openBench({ dataFolder: data });
await bench.start('survivor', script);
process.stdout.write('started\n');
