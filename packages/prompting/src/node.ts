export {
  type MakeFolderOptions,
  type MakeProgress,
  type MakeReport,
  makeInFolder,
} from './node/make-folder.js';
export {
  type TrialFolderOptions,
  type TrialProgress,
  trialInFolder,
} from './node/trial-folder.js';
