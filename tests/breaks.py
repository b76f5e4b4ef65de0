"""Single-line breaks of the code, each of which a test must notice; `mutations.py` tries them."""

from typing import NamedTuple


class Mutation(NamedTuple):
    """One broken line: what it means, where it is, its text before and after, and who must notice."""

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


ORDER = ("tests/io/test_order.py", "tests/io/test_batchloader.py")
LOADER = ("tests/io/test_batchloader.py",)
GENERATOR = ("tests/io/test_hdf5datasetgenerator.py", "tests/io/test_feeding_keras.py")
FOLDER = ("tests/io/test_imagefolder.py",)
TRACED = ("tests/test_rows_are_traced.py",)
CHAIN = ("tests/preprocessing/test_chain.py", "tests/preprocessing/test_every_preprocessor.py")
CROPS = ("tests/preprocessing/test_croppreprocessor.py",)
AUGMENT = ("tests/preprocessing/test_augmentpreprocessor.py",)
PREDICTION = ("tests/nn/test_prediction.py",)

IO, PRE = "pyimagesearch/io", "pyimagesearch/preprocessing"

MUTATIONS = (
    Mutation(
        "every epoch has the same order",
        f"{IO}/order.py",
        "default_rng((seed & 0xFFFFFFFFFFFFFFFF, epoch))",
        "default_rng((seed & 0xFFFFFFFFFFFFFFFF, 0))",
        ORDER,
    ),
    Mutation(
        "the seed of the order is ignored",
        f"{IO}/order.py",
        "default_rng((seed & 0xFFFFFFFFFFFFFFFF, epoch))",
        "default_rng((0, epoch))",
        ORDER,
    ),
    Mutation("epochs are not shuffled", f"{IO}/order.py", "if not self._shuffle:", "if self._n:", ORDER),
    Mutation(
        "the last short batch is dropped",
        f"{IO}/part.py",
        "return math.ceil(self._visited / self._batch_size)",
        "return max(1, self._visited // self._batch_size)",
        LOADER,
    ),
    Mutation(
        "a batch prepared for another epoch is handed out",
        f"{IO}/batchloader.py",
        "pending = self._ahead.pop((epoch, index), None)",
        "pending = self._ahead.pop(next((key for key in self._ahead if key[1] == index), None), None)",
        LOADER,
    ),
    Mutation(
        "the batch prepared ahead holds the rows of the one before",
        f"{IO}/batchloader.py",
        "self._ahead[key] = self._begin(key[0], self.rows(*key))",
        "self._ahead[key] = self._begin(key[0], self.rows(key[0], key[1] - 1))",
        LOADER,
    ),
    Mutation(
        "every thread writes to the beginning of the batch",
        f"{IO}/batchloader.py",
        "strict=True), start):",
        "strict=True)):",
        LOADER,
    ),
    Mutation(
        "random numbers follow the place in the batch, not the row",
        f"{IO}/batchloader.py",
        "numbers = self._draw(epoch, rows)",
        "numbers = self._draw(epoch, np.arange(len(rows)))",
        LOADER,
    ),
    Mutation(
        "random numbers ignore the epoch",
        f"{IO}/batchloader.py",
        "return uniforms(self.seed, epoch, rows, self._chain.draws).tolist()",
        "return uniforms(self.seed, 0, rows, self._chain.draws).tolist()",
        LOADER,
    ),
    Mutation(
        "labels do not follow their rows",
        f"{IO}/hdf5datasetgenerator.py",
        "self.loader.batch(epoch, index), self.labels[rows]",
        "self.loader.batch(epoch, index), self.labels[np.sort(rows)]",
        TRACED,
    ),
    Mutation(
        "fit stays in its first epoch",
        f"{IO}/hdf5datasetgenerator.py",
        "self._next_epoch += 1",
        "self._next_epoch += 0",
        GENERATOR,
    ),
    Mutation(
        "rows are read in the order of the file",
        f"{IO}/rows.py",
        "return [rows[i] for i in numbers]",
        "return [rows[i] for i in sorted(numbers)]",
        LOADER,
    ),
    Mutation(
        "JPEG images begin one byte late",
        f"{IO}/rows.py",
        "starts = np.concatenate((np.zeros(1, np.uint64), ends[:-1]))",
        "starts = np.concatenate((np.zeros(1, np.uint64), ends[:-1] + np.uint64(1)))",
        ("tests/io/test_encodings.py",),
    ),
    Mutation(
        "a row's bytes are the next JPEG image's",
        f"{IO}/rows.py",
        "data = self._blob[self._starts[number] : self._ends[number]]",
        "data = self._blob[self._starts[number - 1] : self._ends[number - 1]]",
        ("tests/io/test_encodings.py",),
    ),
    Mutation(
        "the checksum leaves the last byte out",
        f"{IO}/rowstore.py",
        "return EncodedRow(data, zlib.crc32(data), sums)",
        "return EncodedRow(data, zlib.crc32(data[:-1]), sums)",
        ("tests/io/test_inspection.py",),
    ),
    Mutation(
        "the checksum leaves the label out",
        f"{IO}/rowstore.py",
        'zlib.crc32(label.to_bytes(8, "little"), crc)',
        "crc",
        ("tests/io/test_inspection.py", "tests/io/test_resumed_writing.py"),
    ),
    Mutation(
        "the means leave the last row out",
        f"{IO}/rowtable.py",
        '["channel_sums"][:rows].sum(axis=0',
        '["channel_sums"][: rows - 1].sum(axis=0',
        ("tests/io/writing/test_hdf5datasetwriter.py", "tests/io/writing/test_all_or_nothing.py"),
    ),
    Mutation(
        "labels are stored with another block's images",
        f"{IO}/shardpacking.py",
        "writer.add_encoded(rows, images.labels[start:stop], images.paths[start:stop])",
        "writer.add_encoded(rows, images.labels[: len(rows)], images.paths[start:stop])",
        TRACED,
    ),
    Mutation(
        "rows of the validation set are trained on",
        f"{IO}/imagefolder.py",
        "sets.insert(0, np.sort(rows))",
        "sets.insert(0, np.sort(np.concatenate((rows, sets[0][:1]))))",
        FOLDER,
    ),
    Mutation("the seed of the split is ignored", f"{IO}/imagefolder.py", "random_state=seed", "random_state=0", FOLDER),
    Mutation(
        "images are listed as the disk has them",
        f"{IO}/imagefolder.py",
        "found = sorted(_image",
        "found = list(_image",
        FOLDER,
    ),
    Mutation(
        "features are labelled in the order of the folder",
        "pyimagesearch/nn/extraction.py",
        "FeatureShard(number, path, rows, images.labels[rows], names, files)",
        "FeatureShard(number, path, rows, images.labels[start:stop], names, files)",
        TRACED,
    ),
    Mutation(
        "the means of red and blue are swapped",
        f"{PRE}/meanpreprocessor.py",
        "np.array((self.b_mean, self.g_mean, self.r_mean), np.float32)",
        "np.array((self.r_mean, self.g_mean, self.b_mean), np.float32)",
        ("tests/preprocessing/test_meanpreprocessor.py",),
    ),
    Mutation(
        "the stored means of red and blue are swapped",
        "dogs_vs_cats/build_dogs_vs_cats.py",
        "b, g, r = map(float, means",
        "r, g, b = map(float, means",
        TRACED,
    ),
    Mutation(
        "images of a folder come as RGB",
        f"{IO}/imagefile.py",
        "return image if image.dtype == np.uint8 else _eight_bit(image)",
        "return image[:, :, ::-1] if image.dtype == np.uint8 else _eight_bit(image)",
        TRACED,
    ),
    Mutation(
        "the lower crops lie one pixel too high",
        f"{PRE}/croppreprocessor.py",
        "bottom, right = image.shape[0] - self.height,",
        "bottom, right = max(0, image.shape[0] - self.height - 1),",
        CROPS,
    ),
    Mutation(
        "crops are turned upside down instead of mirrored",
        f"{PRE}/croppreprocessor.py",
        "crops[:5, :, ::-1]",
        "crops[:5, ::-1]",
        CROPS,
    ),
    Mutation(
        "the image is resized instead of cropped",
        f"{PRE}/croppreprocessor.py",
        "crop[...] = image[top : top + self.height, left : left + self.width]",
        "crop[...] = cv2.resize(image, (self.width, self.height)).reshape(crop.shape)",
        CROPS,
    ),
    Mutation(
        "the last position of a patch never comes up",
        f"{PRE}/patchpreprocessor.py",
        "int(numbers[1] * (w - self.width + 1))",
        "int(numbers[1] * (w - self.width))",
        ("tests/preprocessing/test_patchpreprocessor.py",),
    ),
    Mutation(
        "flips are not applied",
        f"{PRE}/augmentpreprocessor.py",
        "if not (horizontal or vertical):",
        "if not (horizontal and vertical):",
        AUGMENT,
    ),
    Mutation(
        "flips are applied twice",
        f"{PRE}/augmentpreprocessor.py",
        "result = _warp(image, matrix(transform, *image.shape[:2]), border, out)",
        "result = cv2.flip(_warp(image, matrix(transform, *image.shape[:2]), border, None), 1)",
        AUGMENT,
    ),
    Mutation(
        "the centre of a rotation is half a pixel off",
        f"{PRE}/affine.py",
        "middle_r, middle_c = (height - 1) / 2, (width - 1) / 2",
        "middle_r, middle_c = height / 2, width / 2",
        AUGMENT,
    ),
    Mutation(
        "all preprocessors get the first one's random numbers",
        f"{PRE}/chain.py",
        "image = transform(image, numbers[first:last], key, out if writes else None)",
        "image = transform(image, numbers[: last - first], key, out if writes else None)",
        CHAIN,
    ),
    Mutation(
        "channels go to the wrong axis",
        f"{PRE}/imagetoarraypreprocessor.py",
        "np.moveaxis(image, -1, -3)",
        "np.moveaxis(image, -1, -2)",
        ("tests/preprocessing/test_imagetoarraypreprocessor.py",),
    ),
    Mutation(
        "the window of a scaled image lies at its border",
        f"{PRE}/aspectawarepreprocessor.py",
        "top, left = (h - cut_h) // 2,",
        "top, left = h - cut_h,",
        ("tests/preprocessing/test_aspectawarepreprocessor.py",),
    ),
    Mutation(
        "predictions are averaged over images instead of crops",
        "pyimagesearch/nn/prediction.py",
        "outputs.reshape(len(images), crops, -1).mean(axis=1)",
        "outputs.reshape(crops, len(images), -1).mean(axis=0)",
        PREDICTION,
    ),
    Mutation(
        "the last short batch is not predicted",
        "pyimagesearch/nn/prediction.py",
        "(generator[i][0] for i in range(len(generator)))",
        "(generator[i][0] for i in range(generator.num_images // generator.batch_size))",
        PREDICTION,
    ),
    Mutation(
        "of equal scores the higher class comes first",
        "pyimagesearch/utils/ranked.py",
        'np.argsort(-scores, axis=1, kind="stable")',
        'np.argsort(scores, axis=1, kind="stable")[:, ::-1]',
        ("tests/utils/test_ranked.py", *TRACED),
    ),
    Mutation(
        "one-hot labels are taken apart along the rows",
        "pyimagesearch/utils/ranked.py",
        "truth = truth.argmax(axis=1)",
        "truth = truth.argmax(axis=0)",
        ("tests/utils/test_ranked.py",),
    ),
    Mutation(
        "a backbone gets BGR",
        "pyimagesearch/nn/backbones.py",
        'SYMMETRIC = Scaling("RGB",',
        'SYMMETRIC = Scaling("BGR",',
        ("tests/nn/test_backbones.py",),
    ),
)
