export {
  type MakeFolderOptions,
  type MakeProgress,
  type MakeReport,
  makeInFolder,
} from './node/make-folder.js';
