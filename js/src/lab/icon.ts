import { LabIcon } from '@jupyterlab/ui-components';
import svg from './icon.svg';

/** Uses the class `jp-icon3`, which follows the color of the theme. */
export const tissueIcon = new LabIcon({ name: 'karospace:tissue', svgstr: svg });
