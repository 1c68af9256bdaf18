export { FileCheck, type OpenFile } from './check.js';
export { commit, type FolderChange, isLeftover, writeFile } from './commit.js';
export { FileError, isMissing, LockedError } from './errors.js';
export { Folder } from './folder.js';
export { type Lock, type LockOptions, lockFile } from './lock.js';
export { manifestName } from './manifest.js';
export { openFile, readBytes } from './read.js';
export { type FileContent, type FileEntry, makeFolder } from './write.js';
