// Generated from karospace_jupyter/plan/codes.json by `npm run contract`. Do not edit.

/** Words in column names: for codes, for measures (anywhere, or as the first word), and for axes. */
export const WORDS = {
  codes:
    'annotation banksy batch batches celltype chip class clone cluster clustering code cohort community compartment condition core dataset domain donor fov group id kmeans label lane leiden library louvain mclust metacluster niche patient phenograph plate region replicate roi run sample section slice slide snn state subclass subcluster subject tma treatment type well',
  measures:
    'age area array avg centroid col column count counts density depth diameter dist distance entropy expression feature features fraction frequency genes height hits imagecol imagerow intensity length log log1p max mean median min molecules neighbors neighbours nuclei pct peaks percent perimeter position prob probability proportion pseudotime pxl quality rank ratio reads row score size std sum total transcripts umi umis var volume weight width',
  number_of: 'count counts n num number total',
  counted:
    'barcode bead bin cell gene molecule neighbor neighbour object peak pixel probe read spot transcript umi',
  relations: 'by from in of per to',
  axes: 'x y z',
  amounts:
    'concentration day days dose hour hours minutes month months temperature time timepoint week weeks year years',
} as const;
