import { start } from '@headwise/kernels';
import { folderFiles } from '@headwise/models/node';
import { type Check, checkModel, checkOperations, receiptOf, receiptTable } from '@headwise/parity';
import { goldenFolders } from '@headwise/parity/node';

const report = await start();

const checks: Check[] = [];
for await (const check of checkOperations()) checks.push(check);
const [llama] = (await goldenFolders()).filter(({ name }) => name === 'llama');
for await (const check of checkModel('llama', folderFiles(llama!.path))) checks.push(check);

const made = receiptOf(report, checks);
console.error(receiptTable(made));
console.log(made.ok, checks.length > 50); // true true
